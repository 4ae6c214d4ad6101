import { Cron } from 'croner';
import {
  type CronDays,
  type CronTimes,
  type ModeSchedule,
  RunRequested,
  readExpression,
  SOURCE,
} from '../events';
import type { Bus } from '../handlers';
import type { Timeline } from './clock';

/** Who sends the requests that come by schedule. */
export const SCHEDULE_SOURCE = `${SOURCE}.schedule`;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** More times than can fall into the hours in which a clock is put forward or back. */
const SKIPS_MAX = 500;

interface Parts {
  readonly schedules: readonly ModeSchedule[];
  readonly clock: Timeline;
  readonly bus: Bus;
}

/**
 * The twin of EventBridge Scheduler: puts a request on the bus at every time of a schedule, to the
 * minute. A time that passes while nobody runs is not caught up. A rate counts from the start; AWS's
 * first time is the creation of the schedule itself. Gives the way to end it.
 */
export function localSchedules({ schedules, clock, bus }: Parts): () => void {
  const waits = new Map<string, () => void>();
  const start = floor(clock.now());

  function arm(schedule: ModeSchedule): void {
    const due = nextTime(schedule, clock.now(), start);
    if (due === undefined) return void waits.delete(schedule.name);
    const fire = () => {
      arm(schedule);
      void bus.put([entryOf(schedule, due)]);
    };
    waits.set(schedule.name, clock.at(due, fire));
  }

  for (const schedule of schedules) arm(schedule);
  return () => {
    for (const forget of waits.values()) forget();
  };
}

function entryOf({ name, mode, request }: ModeSchedule, due: number) {
  const cause = { schedule: { name, time: new Date(due).toISOString() } };
  const detail = { ...request, mode, cause };
  return { source: SCHEDULE_SOURCE, detailType: RunRequested.type, detail };
}

/**
 * When a schedule is due next after a time, in epoch milliseconds; undefined: never again. `start` is
 * where a rate counts from.
 */
export function nextTime(
  { expression, timezone = 'UTC' }: Pick<ModeSchedule, 'expression' | 'timezone'>,
  after: number,
  start: number,
): number | undefined {
  const times = readExpression(expression);
  switch (times.kind) {
    case 'wrong':
      throw new Error(`the expression ${JSON.stringify(expression)} ${times.reason}`);
    case 'rate': {
      const every = times.minutes * MINUTE_MS;
      return start + (Math.floor((after - start) / every) + 1) * every;
    }
    default:
      return nextOf(times, timezone, after);
  }
}

/**
 * Scheduler leaves out a time that a clock skips when it is put forward, and has a time that comes
 * twice once. croner moves the one and repeats the other.
 */
function nextOf(times: CronTimes, timezone: string, after: number): number | undefined {
  const cron = new Cron(patternOf(times), { mode: '7-part', timezone, paused: true });
  let next = cron.nextRun(new Date(after));
  for (let skips = 0; next && skips < SKIPS_MAX; skips += 1) {
    if (cron.match(next) && !isRepeated(next.getTime(), timezone)) return next.getTime();
    next = cron.nextRun(next);
  }
  return undefined;
}

/** Whether the clocks there showed the same an hour or half an hour earlier. */
function isRepeated(time: number, timezone: string): boolean {
  const wall = new Intl.DateTimeFormat('en', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  return [HOUR_MS, HOUR_MS / 2].some((ms) => wall.format(time - ms) === wall.format(time));
}

/** croner's seven fields: seconds first, weekdays from 0, and its own words for the last. */
function patternOf({ minutes, hours, days, months, years }: CronTimes): string {
  const [day, weekday] = daysOf(days);
  return [
    '0',
    minutes.join(),
    hours.join(),
    day,
    months.join(),
    weekday,
    years?.join() ?? '*',
  ].join(' ');
}

function daysOf(days: CronDays): readonly [day: string, weekday: string] {
  switch (days.kind) {
    case 'days':
      return [days.days.join(), '*'];
    case 'last day':
      return ['L', '*'];
    case 'workday near':
      return [`${days.day}W`, '*'];
    case 'weekdays':
      return ['*', days.weekdays.map((weekday) => weekday - 1).join()];
    case 'nth weekday':
      return ['*', `${days.weekday - 1}#${days.nth}`];
    case 'last weekday':
      return ['*', `${days.weekday - 1}#L`];
  }
}

function floor(time: number): number {
  return Math.floor(time / MINUTE_MS) * MINUTE_MS;
}
