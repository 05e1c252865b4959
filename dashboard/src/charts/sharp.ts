/**
 * At least two canvas pixels per CSS pixel, so that charts print sharply: a page that goes to paper is
 * drawn with the pixels of the screen. Must be imported before uPlot, which reads the ratio once.
 */
const ratio = Math.max(2, window.devicePixelRatio);
Object.defineProperty(window, "devicePixelRatio", { configurable: true, get: () => ratio });
