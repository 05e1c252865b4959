//! The steps of a session: what the engine is given next, and whom it is told to.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use quantvista_engine::{Action, Event, OrderKind, OrderRequest, Side, TapeKind, TimeInForce};

use crate::columns::{self, Epoch};
use crate::host::{Host, HostSpec};
use crate::raise;
use crate::session::Session;
use crate::setup::{Record, scale};
use crate::source::{self, Next, Source};

/// Steps between two looks at whether the user pressed Ctrl-C.
const STEPS_PER_SIGNAL_CHECK: usize = 256;

/// Rounds of strategies answering one another at one time, after which something is wrong.
const ROUNDS_MAX: usize = 1_000;

/// What a session did next.
#[derive(Clone, Copy)]
pub enum Step {
    Done,
    /// Nothing happened but that it is time for a timer.
    Timer,
    /// Rows `first..last` of the source, of one time, and the number of the barrier among them.
    Rows {
        first: usize,
        last: usize,
        barrier: Option<usize>,
    },
}

/// How far a session is to go.
#[derive(Clone, Copy)]
pub enum Goal {
    /// Up to a row, exclusively, and to the end of its time.
    Row(usize),
    /// Through all that was told, then through the timers up to a time.
    Horizon(i64),
}

/// What a session goes on with.
struct Round<'a, 'py> {
    goal: Goal,
    hosts: Vec<Host>,
    with_timers: bool,
    /// By sleeve.
    timed: Vec<bool>,
    decide: Option<&'a Bound<'py, PyAny>>,
    decision_rows: Option<&'a [u8]>,
}

/// Where steps stand still: time, and how many there were at it.
struct Pace {
    last: i64,
    at_once: usize,
}

/// Run as far as `goal`; see `Session.run` and `Session.run_live`.
pub fn run(
    slf: &Bound<'_, Session>,
    goal: Goal,
    hosts: Vec<HostSpec>,
    decide: Option<&Bound<'_, PyAny>>,
    decision_rows: Option<&[u8]>,
) -> PyResult<()> {
    let py = slf.py();
    if slf.borrow().record == Record::Off && !(hosts.is_empty() && decide.is_none()) {
        return Err(PyValueError::new_err(
            "`record` must not be off where strategies run",
        ));
    }
    let hosts = hosts
        .into_iter()
        .map(|spec| Host::new(&slf.borrow(), spec))
        .collect::<PyResult<Vec<Host>>>()?;
    let mut timed = vec![false; slf.borrow().engine.config().sleeves.len()];
    for host in &hosts {
        timed[host.sleeve] = host.on_timer.is_some();
    }
    slf.borrow_mut().open_mail(&hosts);
    let round = Round {
        goal: slf.borrow().within_block(goal),
        with_timers: timed.contains(&true),
        timed,
        hosts,
        decide,
        decision_rows,
    };
    let mut pace = Pace {
        last: i64::MIN,
        at_once: 0,
    };
    for count in 0_usize.. {
        match round.step(slf, &mut pace) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                // Some have heard of it and some not: nothing good comes of going on.
                if let Some(live) = &mut slf.borrow_mut().live {
                    live.fail(&error);
                }
                return Err(error);
            }
        }
        if count % STEPS_PER_SIGNAL_CHECK == 0 {
            py.check_signals()?;
        }
    }
    Ok(())
}

impl Round<'_, '_> {
    /// Go on to the next time at which something happens, and tell of it; whether there was one.
    fn step(&self, run: &Bound<'_, Session>, pace: &mut Pace) -> PyResult<bool> {
        let before = run.borrow().now;
        let step = run.borrow_mut().advance(self.goal, self.with_timers)?;
        let barrier = match step {
            Step::Done => return Ok(false),
            Step::Timer => None,
            Step::Rows { barrier, .. } => barrier,
        };
        let now = run.borrow().now;
        let at_once = if now == pace.last {
            pace.at_once + 1
        } else {
            0
        };
        *pace = Pace { last: now, at_once };
        if at_once > ROUNDS_MAX {
            return Err(PyValueError::new_err(format!(
                "`on_timer` must not set timers for ever at one time; found {ROUNDS_MAX}"
            )));
        }
        if let (Some(decide), Some(number)) = (self.decide, barrier) {
            self.call(decide, number)?;
        }
        for host in &self.hosts {
            host.call(run, step)?;
        }
        settle(run, &self.hosts)?;
        if self.with_timers {
            run.borrow_mut().forget_timers(&self.timed);
        }
        if barrier.is_some() || run.borrow().is_sampled(before) {
            run.borrow_mut().mark()?;
        }
        Ok(true)
    }

    /// Let a barrier be decided at; those of live sessions bear no numbers.
    fn call(&self, decide: &Bound<'_, PyAny>, number: usize) -> PyResult<()> {
        if matches!(self.goal, Goal::Horizon(_)) {
            decide.call0()?;
            return Ok(());
        }
        let is_wanted = |rows: &[u8]| rows.get(number).is_some_and(|flag| *flag != 0);
        if self.decision_rows.is_none_or(is_wanted) {
            decide.call1((number,))?;
        }
        Ok(())
    }
}

/// Submit market orders on every row; see `Session.run_market_orders`.
pub fn run_market_orders(
    session: &mut Session,
    py: Python<'_>,
    rows: usize,
    orders_per_row: usize,
    quantity: i64,
) -> PyResult<u64> {
    let count = session.names.len();
    let mut sent = 0_usize;
    for row in 0..rows.min(session.source.rows() - session.row) {
        session.advance(Goal::Row(usize::MAX), false)?;
        let side = if row.is_multiple_of(2) {
            Side::Buy
        } else {
            Side::Sell
        };
        for _ in 0..orders_per_row {
            let request = OrderRequest::new(
                0,
                sent % count,
                side,
                quantity,
                OrderKind::Market,
                TimeInForce::Gtc,
            );
            session.decide(Event::SubmitOrder(request))?;
            sent += 1;
        }
        session.mark()?;
        py.check_signals()?;
    }
    Ok(sent as u64)
}

/// Let strategies answer what came of their own answers, until there is nothing left to tell.
fn settle(run: &Bound<'_, Session>, hosts: &[Host]) -> PyResult<()> {
    for _ in 0..ROUNDS_MAX {
        if !run.borrow().mail.is_waiting() {
            return Ok(());
        }
        for host in hosts {
            host.tell(run)?;
        }
        run.py().check_signals()?;
    }
    let calling = run.borrow().calling;
    let handler = calling.map_or("on_fill", |(_, handler, _)| handler);
    Err(PyValueError::new_err(format!(
        "`{handler}` must not answer its own orders for ever at one time; found {ROUNDS_MAX} rounds"
    )))
}

impl Session {
    fn apply_row(&mut self, row: usize) -> PyResult<()> {
        let Source::Tape(events) = &self.source else {
            return Ok(());
        };
        source::look(&mut self.views, &events.tape, row);
        let input = events.input(row);
        if matches!(input.event, Event::Action(Action::Precision { .. })) {
            self.begin_epoch();
        }
        self.apply(&input)?;
        if matches!(input.event, Event::Action(_)) {
            self.renew_scales();
        }
        Ok(())
    }

    /// Keep how fine prices and quantities were before a corporate action changes it.
    fn begin_epoch(&mut self) {
        let working = self.engine.working_orders();
        self.epochs.push(Epoch {
            until: self.now,
            last_order: self.engine.last_order(),
            working: working.iter().map(|order| order.id).collect(),
            digits: columns::digits(self.engine.config()),
        });
    }

    /// A corporate action may have changed how fine prices and quantities are.
    pub fn renew_scales(&mut self) {
        for (index, instrument) in self.engine.config().instruments.iter().enumerate() {
            self.price_scale[index] = scale(instrument.price_precision);
            self.quantity_scale[index] = scale(instrument.quantity_precision);
        }
    }

    /// Go on to the next time at which something happens: a row, all events of one time, or, if
    /// strategies have any, a timer.
    pub fn advance(&mut self, goal: Goal, with_timers: bool) -> PyResult<Step> {
        let until = match goal {
            Goal::Horizon(horizon) => return self.advance_live(horizon, with_timers),
            Goal::Row(until) => until,
        };
        if self.row >= until {
            return Ok(Step::Done);
        }
        let (first, mut barrier) = (self.row, None);
        self.out.clear();
        let Self {
            source,
            engine,
            out,
            log,
            ..
        } = self;
        match source {
            Source::Bars(feed) => {
                self.now = feed.ts(first);
                feed.step(first, |input| log.apply(engine, input, out))
                    .map_err(|e| raise(&e))?;
                barrier = Some(first);
                self.row += 1;
            }
            Source::Tape(events) => {
                let Some(ts) = events.next_ts(self.row, self.scheduled) else {
                    return Ok(Step::Done);
                };
                if let Some(at) = self.timers.next()
                    && with_timers
                    && at < ts
                    && self.now != i64::MIN
                {
                    self.now = self.now.max(at);
                    return Ok(Step::Timer);
                }
                self.now = ts;
                self.apply_all_at(ts, &mut barrier)?;
            }
        }
        self.observe();
        Ok(Step::Rows {
            first,
            last: self.row,
            barrier,
        })
    }

    /// A row counted in the block that is read now.
    fn within_block(&self, goal: Goal) -> Goal {
        match goal {
            Goal::Row(until) => Goal::Row(
                until
                    .saturating_sub(self.source.rows_before())
                    .min(self.source.rows()),
            ),
            Goal::Horizon(_) => goal,
        }
    }

    /// Apply all inputs of a time.
    pub fn apply_all_at(&mut self, ts: i64, barrier: &mut Option<usize>) -> PyResult<()> {
        while let Source::Tape(events) = &self.source
            && let Some(next) = events.next_at(ts, self.row, self.scheduled)
        {
            match next {
                Next::Row(row) => {
                    if events.tape.kind(row) == TapeKind::Barrier {
                        *barrier = Some(events.barrier(row));
                    }
                    self.apply_row(row)?;
                    self.row += 1;
                }
                Next::Scheduled(input) => {
                    self.apply(&input)?;
                    self.scheduled += 1;
                }
            }
        }
        Ok(())
    }

    /// Let strategies hear of their own orders only where they have a handler for it.
    fn open_mail(&mut self, hosts: &[Host]) {
        let sleeves = self.engine.config().sleeves.len();
        let wants = |of: fn(&Host) -> bool| {
            let mut wants = vec![false; sleeves];
            for host in hosts {
                wants[host.sleeve] = of(host);
            }
            wants
        };
        self.mail.open(
            wants(|host| host.on_fill.is_some()),
            wants(|host| host.on_order.is_some()),
        );
    }

    /// Whether this is the first step of a period of samples; the one before it was at `before`.
    fn is_sampled(&self, before: i64) -> bool {
        self.sample_ns
            .is_some_and(|period| before.div_euclid(period) < self.now.div_euclid(period))
    }

    /// In a run of events, forget timers that are due and of sleeves without a handler.
    fn forget_timers(&mut self, timed: &[bool]) {
        if self.has_tape() && self.timers.next().is_some_and(|at| at <= self.now) {
            self.timers.drop_due(self.now, timed);
        }
    }
}
