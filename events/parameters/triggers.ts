import * as z from 'zod';
import { isWithin } from '../fingerprint';
import { readExpression } from './expressions';
import { REQUEST_LIMITS } from './limits';

/** What a schedule or an upload asks for: a request without what they say themselves. */
const ConfiguredRequest = z
  .strictObject(
    {
      parameters: z
        .record(z.string(), z.unknown(), { error: 'must be an object of names and values' })
        .optional(),
      jobs: z.array(z.unknown(), { error: 'must be a list of jobs' }).optional(),
    },
    { error: (issue) => strangersOr(issue, 'must be an object with parameters and jobs') },
  )
  .refine((request) => isWithin(request, REQUEST_LIMITS), {
    error: `may have ${REQUEST_LIMITS.characters} characters and nest ${REQUEST_LIMITS.depth} deep`,
  });

/** A request that comes at its times. */
export const Schedule = z.strictObject(
  {
    // Part of a run's id, with the time: 24, a dash and 12 of its 40 characters.
    name: z
      .string('must be a text')
      .regex(/^[a-z0-9-]{1,24}$/, 'must be 1 to 24 of a-z, 0-9 and dash'),
    expression: z.string('must be a text').check((context) => {
      const times = readExpression(context.value);
      if (times.kind !== 'wrong') return;
      context.issues.push({ code: 'custom', input: context.value, message: times.reason });
    }),
    timezone: z
      .string('must be a text')
      .refine(isTimezone, { error: 'must be a time zone like Europe/Berlin' })
      .optional(),
    request: ConfiguredRequest.optional(),
  },
  {
    error: (issue) =>
      strangersOr(
        issue,
        'must be an object with name and expression, perhaps timezone and request',
      ),
  },
);
export type Schedule = z.infer<typeof Schedule>;

/** Where requests are uploaded, in the intake bucket. */
export const REQUESTS_PREFIX = 'requests/';

/** A request that comes with every upload below a prefix of the intake bucket. */
export const Upload = z.strictObject(
  {
    // S3: a key has at most 1,024 bytes. EventBridge: an event pattern has at most 2,048 characters.
    prefix: z
      .string('must be a text')
      .regex(/^[^/\s\p{Cc}]/u, {
        error: 'must begin with neither a slash nor a space, and not be empty',
        abort: true,
      })
      .max(200, 'may have 200 characters')
      .refine((prefix) => !contain(prefix, REQUESTS_PREFIX), {
        error: `must lie beside ${REQUESTS_PREFIX}, where requests are uploaded`,
      }),
    suffix: z
      .string('must be a text')
      .min(1, 'must not be empty: leave it out')
      .max(50, 'may have 50 characters')
      .optional(),
    request: ConfiguredRequest.optional(),
  },
  {
    error: (issue) =>
      strangersOr(issue, 'must be an object with prefix, perhaps suffix and request'),
  },
);
export type Upload = z.infer<typeof Upload>;

/** Ours, far below the 500 resources of a CloudFormation stack: each is one of them. */
const SCHEDULES_MAX = 50;
const UPLOADS_MAX = 20;

/** The schedules of a mode. */
export const Schedules = z
  .array(Schedule, { error: `must be a list of at most ${SCHEDULES_MAX} schedules` })
  .max(SCHEDULES_MAX, { error: `must be a list of at most ${SCHEDULES_MAX} schedules` })
  .check(({ value, issues }) => {
    const names = value.map(({ name }) => name);
    for (const index of twiceIn(names)) {
      const message =
        'is the name of another schedule, and runs are named after it: choose another';
      issues.push({ code: 'custom', input: value, path: [index, 'name'], message });
    }
  });

/** The upload prefixes of a mode. */
export const Uploads = z
  .array(Upload, { error: `must be a list of at most ${UPLOADS_MAX} upload prefixes` })
  .max(UPLOADS_MAX, { error: `must be a list of at most ${UPLOADS_MAX} upload prefixes` })
  .check(({ value, issues }) => {
    for (const [index, { prefix }] of value.entries()) {
      const other = value.slice(0, index).find((each) => contain(each.prefix, prefix));
      if (!other) continue;
      const message = `and the prefix ${JSON.stringify(other.prefix)} contain one another, so one upload would start two runs: part them`;
      issues.push({ code: 'custom', input: value, path: [index, 'prefix'], message });
    }
  });

/** Whether one of two beginnings of keys is the beginning of the other. */
export function contain(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one);
}

/** The places of what stands before it already. */
function twiceIn(names: readonly string[]): number[] {
  return names.flatMap((name, index) => (names.indexOf(name) < index ? [index] : []));
}

/** EventBridge Scheduler CreateSchedule: at most 50 characters; Intl knows the zones. */
function isTimezone(zone: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,49}$/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function strangersOr(issue: { readonly code?: string; readonly keys?: unknown }, rule: string) {
  if (issue.code !== 'unrecognized_keys' || !Array.isArray(issue.keys)) return rule;
  const names = issue.keys.map((key) => JSON.stringify(`${key}`.slice(0, 40))).join(', ');
  return `has no field ${names}: leave it out`;
}
