import * as z from 'zod';
import type { Mode } from '../contract';
import { JobName, type JobSpec } from '../jobs';
import { PARAMETERS, parameterOf, type RunParameters } from './definitions';
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
  dependsOn: { schema: z.array(z.string()).max(20), rule: 'a list of at most 20 job names' },
} as const;

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
    ...badOrder(specs, context.mode),
  ];
  return { specs, reasons };
}

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
    // Environments and commands may hold a secret in any form: they are not shown.
    const isQuiet = field === 'environment' || field === 'command';
    return [`${place}: ${field} must be ${rule}${isQuiet ? '' : `, got ${shown(job[field])}`}`];
  });
  return [...strangers, ...wrong];
}

function specOf(job: { readonly [field: string]: unknown }, context: Context): JobSpec {
  const run = { mode: context.mode, parameters: context.parameters };
  return {
    image: context.parameters.jobDefinitionContainerImage ?? context.repository,
    environment: {},
    vcpus: parameterOf(run, 'jobDefinitionVcpus'),
    memoryMib: parameterOf(run, 'jobDefinitionMemory'),
    attempts: parameterOf(run, 'jobDefinitionRetryAttempts'),
    dependsOn: [],
    // Every field has just been held against its schema, and there are no others.
    ...(job as { readonly name: string } & Partial<JobSpec>),
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

/** Names must be unique, dependencies must exist and lead nowhere back, and a volume fits one host. */
function badOrder(specs: readonly JobSpec[], mode: Mode): string[] {
  const names = specs.map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length > 0) return [`job names must be unique, got ${twice.join(', ')} twice`];
  const unknown = specs.flatMap(({ name, dependsOn }) =>
    dependsOn
      .filter((other) => other === name || !names.includes(other))
      .map(
        (other) => `job ${name} depends on ${shown(other)}, which is not another job of this run`,
      ),
  );
  if (unknown.length > 0) return unknown;
  const order = inOrder(specs);
  if (!order)
    return [`jobs ${circleOf(specs).join(', ')} depend on each other in a circle: break it`];
  return mode === 'onlyEBS' ? notAChain(order) : [];
}

function inOrder(specs: readonly JobSpec[]): JobSpec[] | undefined {
  const order: JobSpec[] = [];
  while (order.length < specs.length) {
    const done = order.map(({ name }) => name);
    const next = specs.find(
      ({ name, dependsOn }) =>
        !done.includes(name) && dependsOn.every((each) => done.includes(each)),
    );
    if (!next) return undefined;
    order.push(next);
  }
  return order;
}

/** What is left when everything is taken away that waits for nobody, or that nobody waits for. */
function circleOf(specs: readonly JobSpec[]): string[] {
  const left = new Map(specs.map(({ name, dependsOn }) => [name, dependsOn]));
  const isLoose = (name: string, dependsOn: readonly string[]) =>
    !dependsOn.some((each) => left.has(each)) ||
    ![...left.values()].some((others) => others.includes(name));
  for (let rounds = 0; rounds < specs.length; rounds += 1) {
    for (const [name, dependsOn] of left) if (isLoose(name, dependsOn)) left.delete(name);
  }
  return [...left.keys()];
}

function notAChain(order: readonly JobSpec[]): string[] {
  const arrays = order.filter(({ arraySize }) => arraySize !== undefined);
  if (arrays.length > 0) {
    return [
      `job ${arrays[0]?.name} is an array, and a gp3 volume fits one host at a time: use taskExport or autoExport`,
    ];
  }
  return order.flatMap(({ name, dependsOn }, index) => {
    const before = order[index - 1];
    if (!before || dependsOn.includes(before.name)) return [];
    return [
      `jobs ${before.name} and ${name} could run at once, and a gp3 volume fits one host at a time: let ${name} depend on ${before.name}, or use taskExport or autoExport`,
    ];
  });
}
