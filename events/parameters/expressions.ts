import { shown } from './words';

/** When a schedule is due, taken apart from the text that EventBridge Scheduler takes. */
export type ScheduleTimes =
  | { readonly kind: 'rate'; readonly minutes: number }
  | ({ readonly kind: 'cron' } & CronTimes)
  /** The text is no expression; why, as the end of a sentence. */
  | { readonly kind: 'wrong'; readonly reason: string };

/** A cron expression with every list, range and step written out. Absent years: every year. */
export interface CronTimes {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: CronDays;
  readonly months: readonly number[];
  readonly years?: readonly number[];
}

/** Days of a month, or weekdays (1 is Sunday): AWS takes either, never both. */
export type CronDays =
  | { readonly kind: 'days'; readonly days: readonly number[] }
  | { readonly kind: 'last day' }
  /** The weekday, Monday to Friday, that is nearest to this day of the month. */
  | { readonly kind: 'workday near'; readonly day: number }
  | { readonly kind: 'weekdays'; readonly weekdays: readonly number[] }
  | { readonly kind: 'nth weekday'; readonly weekday: number; readonly nth: number }
  | { readonly kind: 'last weekday'; readonly weekday: number };

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
  readonly takesSteps: boolean;
}

const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ');
const WEEKDAYS = 'SUN MON TUE WED THU FRI SAT'.split(' ');

/** EventBridge Scheduler, cron-based schedules. */
const MINUTES: Field = { name: 'minutes', min: 0, max: 59, takesSteps: true };
const HOURS: Field = { name: 'hours', min: 0, max: 23, takesSteps: true };
const DAY: Field = { name: 'day of month', min: 1, max: 31, takesSteps: true };
const MONTH: Field = { name: 'month', min: 1, max: 12, names: MONTHS, takesSteps: true };
const WEEKDAY: Field = { name: 'day of week', min: 1, max: 7, names: WEEKDAYS, takesSteps: false };
const YEAR: Field = { name: 'year', min: 1970, max: 2199, takesSteps: true };

const DAY_MINUTES = 1440;
const UNITS = new Map([
  ['minute', 1],
  ['hour', 60],
  ['day', DAY_MINUTES],
]);
/** Ours: a schedule that is due once a year is a cron expression. */
const RATE_MINUTES_MAX = 366 * DAY_MINUTES;
/** EventBridge Scheduler CreateSchedule. */
const CHARACTERS_MAX = 256;

/** Reads `cron(…)` with six fields, or `rate(…)`, as EventBridge Scheduler documents them. Never throws. */
export function readExpression(text: string): ScheduleTimes {
  const [, word, inside = ''] = /^(cron|rate)\((.*)\)$/.exec(text) ?? [];
  if (text.length > CHARACTERS_MAX) return wrong(`has more than ${CHARACTERS_MAX} characters`);
  if (word === 'rate') return readRate(inside);
  if (word === 'cron') return readCron(inside);
  return wrong(
    'must be cron(minutes hours day-of-month month day-of-week year) or rate(5 minutes)',
  );
}

function wrong(reason: string): ScheduleTimes {
  return { kind: 'wrong', reason };
}

function readRate(text: string): ScheduleTimes {
  const [, digits, unit = '', plural] = /^([1-9]\d{0,6}) (minute|hour|day)(s?)$/.exec(text) ?? [];
  // EventBridge wants the singular for 1, and only then.
  if (!digits || (digits === '1') !== (plural === '')) {
    return wrong('must have a rate like 1 hour, 5 minutes or 2 days');
  }
  const minutes = Number(digits) * (UNITS.get(unit) ?? 0);
  if (minutes > RATE_MINUTES_MAX) return wrong('may be due once a year at least');
  return { kind: 'rate', minutes };
}

function readCron(text: string): ScheduleTimes {
  const fields = text.split(/\s+/).filter((field) => field !== '');
  const [minute = '', hour = '', day = '', month = '', weekday = '', year = ''] = fields;
  if (fields.length !== 6) {
    return wrong(
      `must have six fields, minutes hours day-of-month month day-of-week year, and has ${fields.length}`,
    );
  }
  if ((day === '?') === (weekday === '?')) {
    return wrong('must have ? as its day of month or as its day of week, and only as one of them');
  }
  const minutes = numbersIn(minute, MINUTES);
  const hours = numbersIn(hour, HOURS);
  const months = numbersIn(month, MONTH);
  const years = numbersIn(year, YEAR);
  const days = day === '?' ? weekdaysIn(weekday) : daysIn(day);
  const dayField = day === '?' ? WEEKDAY : DAY;
  if (!minutes) return wrong(ruleOf(MINUTES, minute));
  if (!hours) return wrong(ruleOf(HOURS, hour));
  if (!days) return wrong(ruleOf(dayField, day === '?' ? weekday : day));
  if (!months) return wrong(ruleOf(MONTH, month));
  if (!years) return wrong(ruleOf(YEAR, year));
  const times = { kind: 'cron', minutes, hours, days, months } as const;
  return year === '*' ? times : { ...times, years };
}

function ruleOf({ name, min, max, names, takesSteps }: Field, text: string): string {
  const words = names ? ` or ${names[0]}-${names.at(-1)}` : '';
  const steps = takesSteps ? ', - * /' : ', - *';
  const special = { 'day of month': ' L 15W', 'day of week': ' 6L 3#2' }[name] ?? '';
  return `has ${shown(text)} as its ${name}, which must be ${min}-${max}${words}, with ${steps}${special}`;
}

function daysIn(text: string): CronDays | undefined {
  if (text === 'L') return { kind: 'last day' };
  const [, near] = /^(\d{1,2})W$/.exec(text) ?? [];
  if (near) {
    const [day] = numbersIn(near, DAY) ?? [];
    return day === undefined ? undefined : { kind: 'workday near', day };
  }
  const days = numbersIn(text, DAY);
  return days && { kind: 'days', days };
}

function weekdaysIn(text: string): CronDays | undefined {
  // By itself it is the last day of the week.
  if (text === 'L') return { kind: 'weekdays', weekdays: [WEEKDAY.max] };
  const [, last] = /^(\d|[A-Z]{3})L$/.exec(text) ?? [];
  if (last) {
    const weekday = numberOf(last, WEEKDAY);
    return weekday === undefined ? undefined : { kind: 'last weekday', weekday };
  }
  const [, name, nth] = /^(\d|[A-Z]{3})#([1-5])$/.exec(text) ?? [];
  if (name) {
    const weekday = numberOf(name, WEEKDAY);
    return weekday === undefined ? undefined : { kind: 'nth weekday', weekday, nth: Number(nth) };
  }
  const weekdays = numbersIn(text, WEEKDAY);
  return weekdays && { kind: 'weekdays', weekdays };
}

/** Every number that a field names, in order; undefined where it is none of the documented forms. */
function numbersIn(text: string, field: Field): readonly number[] | undefined {
  const parts = text.split(',').map((part) => partOf(part, field));
  if (parts.some((part) => part === undefined)) return undefined;
  const all = parts.flatMap((part) => part ?? []);
  return [...new Set(all)].sort((a, b) => a - b);
}

function partOf(part: string, field: Field): readonly number[] | undefined {
  const [, range = '', step] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(part) ?? [];
  if (step !== undefined && (!field.takesSteps || Number(step) === 0)) return undefined;
  const [low, high] = boundsOf(range, field, step !== undefined);
  if (low === undefined || high === undefined || low > high) return undefined;
  const every = Number(step ?? 1);
  return Array.from({ length: Math.floor((high - low) / every) + 1 }, (_, i) => low + i * every);
}

/** A number with a step goes on to the end of the field. */
function boundsOf(range: string, field: Field, hasStep: boolean) {
  if (range === '*') return [field.min, field.max] as const;
  const [from = '', to, ...more] = range.split('-');
  if (more.length > 0) return [undefined, undefined] as const;
  const low = numberOf(from, field);
  if (to !== undefined) return [low, numberOf(to, field)] as const;
  return [low, hasStep ? field.max : low] as const;
}

function numberOf(text: string, { min, max, names = [] }: Field): number | undefined {
  const named = names.indexOf(text);
  const number = named >= 0 ? named + 1 : /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return number >= min && number <= max ? number : undefined;
}
