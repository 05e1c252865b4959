import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules/", "eslint.config.js", "build.mjs"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  { languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } } },
  {
    rules: {
      // Numbers and booleans read well inside a template.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // Array positions inside a checked loop; `noUncheckedIndexedAccess` would need a test each.
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
);
