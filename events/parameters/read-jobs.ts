import * as z from 'zod';
import type { Mode } from '../contract';
import { JobName, type JobSpec } from '../jobs';
import { PARAMETERS, parameterOf, type RunParameters } from './definitions';
import { badCommand } from './job-command';
import { badOrder } from './job-order';
import { looksSecret } from './secrets';
import { fieldsOf, nearest, shown } from './words';

interface Context {
  readonly mode: Mode;
  readonly parameters: RunParameters;
  /** The stack's own image repository. */
  readonly repository: string;
}

interface Jobs {
  readonly specs: readonly JobSpec[];
  readonly reasons: readonly string[];
}

/** Batch: a job may depend on at most 20 others, so a run has at most as many and one. */
export const JOBS_MAX = 21;
/** Batch: the environment's names beginning with AWS_BATCH are its own; EBBTIDE and the bucket ours. */
const RESERVED = /^(AWS_BATCH|EBBTIDE_|__)|^S3_BUCKET_NAME$/;

const text = z.string().max(8192);
const whole = (min: number, max: number) => z.int().min(min).max(max);

/** The limits that Docker knows by these names (ECS Ulimit). */
const ULIMITS = [
  ...['core', 'cpu', 'data', 'fsize', 'locks', 'memlock', 'msgqueue', 'nice', 'nofile', 'nproc'],
  ...['rss', 'rtprio', 'rttime', 'sigpending', 'stack'],
];
/** Docker: -1 is no limit. */
const UNLIMITED = -1;
const limit = whole(UNLIMITED, Number.MAX_SAFE_INTEGER);
const Limits = z
  .strictObject({ name: z.enum(ULIMITS), softLimit: limit, hardLimit: limit })
  .refine(
    ({ softLimit, hardLimit }) =>
      hardLimit === UNLIMITED || (softLimit !== UNLIMITED && softLimit <= hardLimit),
  );

/** Batch's own words: tasks in pairs, tasks one after the other. A name alone is our own order. */
const Dependency = z.union([
  z.string(),
  z.strictObject({ job: z.string(), type: z.literal('N_TO_N') }),
  z.strictObject({ type: z.literal('SEQUENTIAL') }),
]);
type Dependency = z.infer<typeof Dependency>;

/** The fields of a job: what each takes, and how the sentence says it. */
const FIELDS = {
  name: { schema: JobName, rule: '1 to 14 of a-z, 0-9 and dash, not a dash first' },
  command: {
    schema: z.array(text).min(1),
    rule: 'a list of texts of at most 8192 characters, the program first',
  },
  image: { schema: PARAMETERS.jobDefinitionContainerImage.schema, rule: 'the name of an image' },
  environment: {
    schema: z.record(z.string(), text),
    rule: 'an object of names and texts of at most 8192 characters',
  },
  vcpus: { schema: PARAMETERS.jobDefinitionVcpus.schema, rule: 'a whole number from 1 to 1024' },
  memoryMib: {
    schema: PARAMETERS.jobDefinitionMemory.schema,
    rule: 'a whole number of MiB from 4 to 33554432',
  },
  attempts: {
    schema: PARAMETERS.jobDefinitionRetryAttempts.schema,
    rule: 'a whole number from 1 to 10',
  },
  // Batch JobTimeout: at least 60 seconds. The upper limit is ours: the longest run.
  timeoutSeconds: {
    schema: whole(60, 31_536_000),
    rule: 'a whole number of seconds from 60 to 31536000',
  },
  // Batch ArrayProperties.
  arraySize: { schema: whole(2, 10_000), rule: 'a whole number from 2 to 10000' },
  // Batch: at most 20 dependencies.
  dependsOn: {
    schema: z.array(Dependency).max(20),
    rule: 'a list of at most 20: a job name, { "job": a job name, "type": "N_TO_N" } or { "type": "SEQUENTIAL" }',
  },
  parameters: {
    schema: z.record(z.string(), text),
    rule: 'an object of names and texts of at most 8192 characters',
  },
  // Batch ResourceRequirement GPU. The upper limit is ours: no instance has more (p2.16xlarge).
  gpus: { schema: whole(1, 16), rule: 'a whole number from 1 to 16' },
  ulimits: {
    schema: z.array(Limits).min(1).max(ULIMITS.length).refine(isUnique),
    rule: `a list of { name, softLimit, hardLimit }, each name once, of ${ULIMITS.join(', ')}, softLimit not above hardLimit, -1 for none`,
  },
} as const;

function isUnique(limits: readonly { readonly name: string }[]): boolean {
  return new Set(limits.map(({ name }) => name)).size === limits.length;
}

/** What a request may say of a job. */
export const RequestedJob = z.object({
  name: FIELDS.name.schema,
  command: FIELDS.command.schema.optional(),
  image: FIELDS.image.schema.optional(),
  environment: FIELDS.environment.schema.optional(),
  vcpus: FIELDS.vcpus.schema.optional(),
  memoryMib: FIELDS.memoryMib.schema.optional(),
  attempts: FIELDS.attempts.schema.optional(),
  timeoutSeconds: FIELDS.timeoutSeconds.schema.optional(),
  arraySize: FIELDS.arraySize.schema.optional(),
  dependsOn: FIELDS.dependsOn.schema.optional(),
  parameters: FIELDS.parameters.schema.optional(),
  gpus: FIELDS.gpus.schema.optional(),
  ulimits: FIELDS.ulimits.schema.optional(),
});

/** Reads the jobs of a request, one by default. Reports everything that is wrong with them. */
export function readJobs(requested: unknown, context: Context): Jobs {
  const list: unknown = requested ?? [{ name: 'main' }];
  const entries: readonly unknown[] = Array.isArray(list) ? list : [];
  const jobs = entries.map(fieldsOf).filter((fields) => fields !== undefined);
  if (jobs.length !== entries.length || jobs.length < 1 || jobs.length > JOBS_MAX) {
    const rule = `jobs must be a list of 1 to ${JOBS_MAX} objects, each with a name`;
    return { specs: [], reasons: [`${rule}, got ${shown(requested)}`] };
  }
  const fields = jobs.flatMap(badFields);
  if (fields.length > 0) return { specs: [], reasons: fields };
  const specs = jobs.map((job) => specOf(job, context));
  const reasons = [
    ...specs.flatMap((spec) => badImage(spec, context)),
    ...specs.flatMap(badEnvironment),
    ...specs.flatMap(badCommand),
    ...badOrder(specs, context.mode),
  ];
  return { specs, reasons };
}

/** These may hold a secret in any form: they are not shown. */
const QUIET = ['environment', 'command', 'parameters'];

function badFields(job: { readonly [field: string]: unknown }, index: number): string[] {
  const place = `jobs[${index}]`;
  const names = Object.keys(FIELDS);
  const strangers = Object.keys(job)
    .filter((field) => !names.includes(field))
    .map((field) => {
      const right = nearest(field, names);
      return `${place}: a job has no field ${shown(field)}${right ? `; did you mean ${right}?` : ''}`;
    });
  const wrong = Object.entries(FIELDS).flatMap(([field, { schema, rule }]) => {
    if (job[field] === undefined && field !== 'name') return [];
    if (schema.safeParse(job[field]).success) return [];
    const got = QUIET.includes(field) ? '' : `, got ${shown(job[field])}`;
    return [`${place}: ${field} must be ${rule}${got}`];
  });
  return [...strangers, ...wrong];
}

function specOf(
  { dependsOn, ...job }: { readonly [field: string]: unknown },
  context: Context,
): JobSpec {
  const run = { mode: context.mode, parameters: context.parameters };
  return {
    image: context.parameters.jobDefinitionContainerImage ?? context.repository,
    environment: {},
    vcpus: parameterOf(run, 'jobDefinitionVcpus'),
    memoryMib: parameterOf(run, 'jobDefinitionMemory'),
    attempts: parameterOf(run, 'jobDefinitionRetryAttempts'),
    // Every field has just been held against its schema, and there are no others.
    ...(job as { readonly name: string } & Partial<JobSpec>),
    ...dependencies((dependsOn ?? []) as readonly Dependency[]),
  };
}

function dependencies(
  all: readonly Dependency[],
): Pick<JobSpec, 'dependsOn' | 'nToN' | 'sequential'> {
  const nToN = all.flatMap((each) => (typeof each === 'object' && 'job' in each ? [each.job] : []));
  const isSequential = all.some((each) => typeof each === 'object' && each.type === 'SEQUENTIAL');
  return {
    dependsOn: all.filter((each) => typeof each === 'string'),
    ...(nToN.length > 0 ? { nToN: [...new Set(nToN)] } : {}),
    ...(isSequential ? { sequential: true } : {}),
  };
}

function badImage({ name, image }: JobSpec, { parameters, repository }: Context): string[] {
  const allowed = parameters.allowedImages ?? [
    `${repository}`,
    `${repository}:*`,
    `${repository}@*`,
  ];
  const isAllowed = allowed.some((each) =>
    each.endsWith('*') ? image.startsWith(each.slice(0, -1)) : image === each,
  );
  if (isAllowed) return [];
  return [
    `job ${name}: image ${shown(image)} is not allowed, only ${allowed.join(', ')}: push it there, or add it to allowedImages in cdk.json`,
  ];
}

function badEnvironment({ name, environment }: JobSpec): string[] {
  return Object.entries(environment).flatMap(([variable, value]) => {
    // What stands behind the first strange character may be a value that slipped into the name.
    const place = `job ${name}: environment ${shown(/^\w*/.exec(variable)?.[0])}`;
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(variable)) {
      return [`${place} must be letters, digits and _, at most 128, no digit first`];
    }
    if (RESERVED.test(variable))
      return [`${place} is set by Ebbtide or Batch: choose another name`];
    if (!looksSecret(variable, value)) return [];
    return [
      `${place} looks like a secret, and Batch shows a job's environment in every event: put it into Secrets Manager and pass its ARN`,
    ];
  });
}
