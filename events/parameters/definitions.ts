import * as z from 'zod';
import type { Mode } from '../contract';
import { flag, oneOf, type Parameter, pace, parameter, text, texts, whole } from './kinds';
import { type Schedule, Schedules, type Upload, Uploads } from './triggers';

const LUSTRE: readonly Mode[] = ['taskExport', 'autoExport'];
const EBS: readonly Mode[] = ['onlyEBS'];

/** FSx: 3 to 4,357 characters, no line ends, no NUL. S3: names of buckets. Spaces are ours to refuse. */
const S3_PATH = /^(?=.{3,4357}$)s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^\s\p{Cc}]*)?$/u;
const S3_RULE = 's3://<bucket>/<prefix> without spaces, at most 4357 characters';
const FSX_CREATE = 'FSx CreateFileSystem';
const GP3 = 'EC2 CreateVolume, gp3';

/** Legal SCRATCH_2 sizes: 1,200, 2,400, then steps of 2,400 GiB. */
function isLustreSize(gib: number): boolean {
  return gib === 1200 || (gib > 0 && gib % 2400 === 0);
}

/** The legal sizes on either side of a wrong one; at an end there is only one. */
function lustreSizesNear(gib: number): readonly number[] {
  const below = LUSTRE_SIZES.findLast((size) => size <= gib);
  const above = LUSTRE_SIZES.find((size) => size >= gib);
  return [below, above].filter((size) => size !== undefined);
}

/** Up to the quota of a Region. */
const LUSTRE_SIZES = [1200, ...Array.from({ length: 42 }, (_, index) => 2400 * (index + 1))];

/** Every parameter there is, under the names people know. */
export const PARAMETERS = {
  envName: text(/^[A-Za-z][A-Za-z0-9-]{0,40}$/, 'letters, digits and dashes, a letter first', {
    about: 'Name of the environment; part of the stack name.',
    source: 'CloudFormation stack names',
    layer: 'deploy',
    default: (mode) =>
      ({ taskExport: 'TaskExport', autoExport: 'AutoExport', onlyEBS: 'OnlyEBS' })[mode],
  }),
  ecrRepositoryName: text(/^[a-z0-9][a-z0-9._/-]{1,255}$/, 'a legal ECR repository name', {
    about: 'Name of the image repository that the stack makes.',
    source: 'ECR CreateRepository',
    layer: 'deploy',
    default: (mode) =>
      ({
        taskExport: 'batch-job-with-lustre-task-export',
        autoExport: 'batch-job-with-lustre-auto-export',
        onlyEBS: 'batch-job-with-ebs',
      })[mode],
  }),
  computeEnvironmentType: oneOf(['SPOT', 'EC2'], {
    about: 'Spot or On-Demand instances.',
    source: 'Batch CreateComputeEnvironment',
    layer: 'deploy',
    default: 'SPOT',
  }),
  computeEnvironmentAllocationStrategy: oneOf(
    ['SPOT_PRICE_CAPACITY_OPTIMIZED', 'SPOT_CAPACITY_OPTIMIZED', 'BEST_FIT_PROGRESSIVE'],
    {
      about: 'How Batch picks instances. EC2 uses BEST_FIT_PROGRESSIVE unless it is given.',
      source: 'Batch CreateComputeEnvironment; BEST_FIT cannot be updated in place',
      layer: 'deploy',
      default: 'SPOT_PRICE_CAPACITY_OPTIMIZED',
    },
  ),
  computeEnvironmentInstanceTypes: texts('a list of instance types or families', {
    about: 'Instance types Batch may launch.',
    source: 'Batch CreateComputeEnvironment',
    layer: 'deploy',
    default: ['optimal'],
  }),
  computeEnvironmentMinvCpus: whole({
    about: 'vCPUs kept running while nothing runs.',
    source: 'Batch CreateComputeEnvironment; upper limit ours',
    layer: 'deploy',
    unit: 'vCPUs',
    min: 0,
    max: 100_000,
    default: 0,
  }),
  computeEnvironmentMaxvCpus: whole({
    about: 'vCPUs that may run at once. Batch may go over it by one instance.',
    source: 'Batch CreateComputeEnvironment; upper limit ours',
    layer: 'deploy',
    unit: 'vCPUs',
    min: 1,
    max: 100_000,
    default: 256,
  }),
  computeEnvironmentDesiredvCpus: whole({
    about: 'vCPUs at the start. Set at creation only; Batch changes it afterwards.',
    source: 'Batch CreateComputeEnvironment; upper limit ours',
    layer: 'deploy',
    unit: 'vCPUs',
    min: 0,
    max: 100_000,
    default: 0,
  }),
  allowedImages: texts('a list of image names, each may end in *', {
    about: "Images a request may name. The stack's own repository where absent.",
    source: 'ours',
    layer: 'deploy',
  }),
  zones: parameter(
    z.array(z.string().min(1)).min(1).max(20),
    'a list of one to 20 Availability Zones',
    {
      about: 'Zones storage may be made in. All of the VPC where absent.',
      source: 'ours',
      layer: 'deploy',
    },
  ),
  vpcId: text(/^vpc-[0-9a-f]{8,17}$/, 'the id of a VPC, vpc-…', {
    about: 'An existing VPC to use. The stack makes one where absent.',
    source: 'EC2 CreateVpc',
    layer: 'deploy',
  }),
  schedules: parameter<readonly Schedule[]>(Schedules, 'a list of schedules', {
    about: 'Schedules that start runs: name, expression, perhaps timezone and request.',
    source: 'EventBridge Scheduler CreateSchedule; names ours, they are part of run ids',
    layer: 'deploy',
    explains: true,
    default: [],
  }),
  uploads: parameter<readonly Upload[]>(Uploads, 'a list of upload prefixes', {
    about:
      'Prefixes of the intake bucket whose uploads start runs: prefix, perhaps suffix and request.',
    source: 'ours; S3 keys have 1,024 bytes, EventBridge patterns 2,048 characters',
    layer: 'deploy',
    explains: true,
    default: [],
  }),

  lustreFileSystemTypeVersion: oneOf(['2.15', '2.12'], {
    about: 'Lustre version.',
    source: `${FSX_CREATE}: 2.10 has no data repository associations and no AL2023 client`,
    modes: LUSTRE,
    default: '2.15',
  }),
  lustreStorageCapacity: parameter(
    z.int().min(1200).max(100_800).refine(isLustreSize),
    '1200, 2400, or a multiple of 2400 GiB up to 100800',
    {
      about: 'Size of the file system.',
      source: `${FSX_CREATE}, SCRATCH_2; 100,800 GiB is the default quota of a Region`,
      near: lustreSizesNear,
      unit: 'GiB',
      modes: LUSTRE,
      default: 2400,
    },
  ),
  lustreImportedFileChunkSize: whole({
    about: 'Stripe size of imported files.',
    source: `${FSX_CREATE}`,
    unit: 'MiB',
    modes: LUSTRE,
    min: 1,
    max: 512_000,
    default: 1024,
  }),
  deleteLustre: flag({
    about: 'Whether the file system goes when the run ends.',
    source: 'ours',
    modes: LUSTRE,
    default: true,
  }),
  autoExport: flag({
    about: 'Whether changes go to S3 all along. Must agree with the mode.',
    source: 'ours',
    modes: LUSTRE,
    default: (mode) => mode === 'autoExport',
  }),
  exportProof: oneOf(['task', 'metrics'], {
    about: 'What proves the export: an export task, or the empty queue alone.',
    source: 'ours',
    modes: ['autoExport'],
    default: 'task',
  }),
  inputRepositoryPath: text(S3_PATH, S3_RULE, {
    about: 'What /input shows.',
    source: 'FSx CreateDataRepositoryAssociation',
    modes: LUSTRE,
  }),
  dataRepositoryPath: text(S3_PATH, S3_RULE, {
    about: "Where /scratch is exported to, instead of the run's own prefix.",
    source: 'FSx CreateDataRepositoryAssociation',
    modes: LUSTRE,
  }),

  ebsSizeGb: whole({
    about: 'Size of the volume.',
    source: GP3,
    unit: 'GiB',
    modes: EBS,
    min: 1,
    max: 65_536,
    default: 500,
  }),
  ebsIOPS: whole({
    about: 'Input and output operations per second; at most 500 per GiB.',
    source: GP3,
    unit: 'IOPS',
    modes: EBS,
    min: 3000,
    max: 80_000,
    default: 5000,
  }),
  ebsThroughput: whole({
    about: 'Throughput; at most 0.25 per provisioned IOPS.',
    source: GP3,
    unit: 'MiB/s',
    modes: EBS,
    min: 125,
    max: 2000,
    default: 500,
  }),
  deleteEbs: flag({
    about: 'Whether the volume goes when the run ends.',
    source: 'ours',
    modes: EBS,
    default: true,
  }),

  jobDefinitionContainerImage: text(/^[a-z0-9][a-zA-Z0-9._:/@-]{0,254}$/, 'the name of an image', {
    about: "Image of jobs that name none. The stack's repository where absent.",
    source: 'Batch RegisterJobDefinition: 255 characters',
  }),
  jobDefinitionRetryAttempts: whole({
    about: 'Attempts of a job that names none.',
    source: 'Batch RetryStrategy',
    unit: 'attempts',
    min: 1,
    max: 10,
    default: 5,
  }),
  jobDefinitionVcpus: whole({
    about: 'vCPUs of a job that names none.',
    source: 'Batch ResourceRequirement; upper limit ours, above the largest instance',
    unit: 'vCPUs',
    min: 1,
    max: 1024,
    default: 32,
  }),
  jobDefinitionMemory: whole({
    about: 'Memory of a job that names none.',
    source: 'Batch ResourceRequirement: at least 4; upper limit ours, above the largest instance',
    unit: 'MiB',
    min: 4,
    max: 33_554_432,
    default: 30_000,
  }),

  waitForLustreCreationSeconds: pace('Time between looks at a new file system.', 30, LUSTRE),
  waitForDataRepositoryTaskSeconds: pace('Time between looks at an export task.', 300, [
    'taskExport',
  ]),
  waitForCheckMetricsSeconds: pace('Time between looks at the export queue.', 60, ['autoExport']),
  lambdaPeriodSeconds: parameter(
    z.int().min(60).max(3600).multipleOf(60),
    'a multiple of 60 from 60 to 3600 seconds',
    {
      about: "Period of the export queue's metric.",
      source: 'FSx publishes AgeOfOldestQueuedMessage once a minute',
      unit: 'seconds',
      modes: ['autoExport'],
      default: 60,
    },
  ),
  lambdaTimeDiffMinutes: whole({
    about: 'How long the export queue must be seen empty, with exportProof metrics.',
    source: 'ours: below 3 points a queue that has not begun looks empty',
    unit: 'minutes',
    modes: ['autoExport'],
    min: 3,
    max: 180,
    default: 15,
  }),
  waitForEbsCreationSeconds: pace('Time between looks at a new volume.', 30, EBS),
  waitForJobCompletionSeconds: pace('Time between looks at running jobs.', 300),
  waitAfterDetachSeconds: pace('Time between looks at a volume that is going.', 10, EBS),

  onFailure: oneOf(['retain', 'export', 'release'], {
    about: 'What becomes of the storage of a failed run. export is for Lustre.',
    source: 'ours',
    default: 'retain',
  }),
  retainHours: whole({
    about: 'How long the storage of a failed run is kept.',
    source: 'ours: a year is more than anybody wants to pay by accident',
    unit: 'hours',
    min: 1,
    max: 8760,
    default: 24,
  }),
  jobResubmissions: whole({
    about: 'How often a job is submitted again after interruptions have spent its attempts.',
    source: 'ours',
    unit: 'submissions',
    min: 0,
    max: 20,
    default: 2,
  }),
  maxRunHours: whole({
    about: 'How long the jobs of a run may take in all.',
    source: 'ours',
    unit: 'hours',
    min: 1,
    max: 8760,
    default: 336,
  }),
  zone: text(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 'an Availability Zone of this stack', {
    about: 'Zone of the storage and so of the jobs. Chosen by the run id where absent.',
    source: 'EC2 DescribeAvailabilityZones',
  }),
} as const;

export type ParameterName = keyof typeof PARAMETERS;
export type ValueOf<Name extends ParameterName> =
  (typeof PARAMETERS)[Name] extends Parameter<infer Value> ? Value : never;
/** The parameters of a run after all layers: those of its mode, each with a legal value. */
export type RunParameters = { readonly [Name in ParameterName]?: ValueOf<Name> };

/** One parameter by a name that may be anything. */
export function definitionOf(name: string): Parameter<unknown> | undefined {
  return Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name as ParameterName] : undefined;
}

/** A run's value of a parameter, or the default where its run is older than the parameter. */
export function parameterOf<Name extends ParameterName>(
  run: { readonly mode: Mode; readonly parameters: RunParameters },
  name: Name,
): ValueOf<Name> {
  const definition: Parameter<unknown> = PARAMETERS[name];
  const value = run.parameters[name] ?? definition.default?.(run.mode);
  if (value === undefined) throw new Error(`${name} has no value and no default`);
  // Both the stored value and the default have the type that the definition of this name gives.
  return value as ValueOf<Name>;
}
