import { isLast, MODES, type Mode, type Run, type RunEventType } from '../../events';
import { drawFaults } from '../../sim/faults';
import { type Random, seededRandom } from '../../sim/random';
import { type Scenario, type Simulated, settingsOf, simulate } from '../../sim/simulator';
import { resultOf } from '../../sim/workload';

/** Many runs at once, and everything that may go wrong with them drawn from one seed. */
const SEEDS = Array.from({ length: 80 }, (_, index) => index + 1);
const HOUR_MS = 3_600_000;
/** Each of these may stand in a journal once, whatever is delivered how often. */
const ONCE: readonly RunEventType[] = [
  'RunAccepted',
  'VolumeCreated',
  'ExportTaskCompleted',
  'ReleaseStarted',
  'StorageReleased',
  'StorageKept',
];
const EVENTS_MAX = 90;
const TASKS = 6;

function drawScenario(seed: number): Scenario {
  const random = seededRandom(seed * 7919);
  const ids = Array.from({ length: 1 + Math.floor(random.next() * 3) }, (_, index) => `r${index}`);
  const cancelled = ids.filter(() => random.chance(0.3));
  return {
    seed,
    settings: settingsOf(...MODES),
    reaper: 'act',
    requests: ids.map((runId) => drawRequest(runId, random)),
    fsx: { fate: drawFate(random) },
    faults: drawFaults(random),
    workload: {
      workMs: HOUR_MS,
      checkpointMs: HOUR_MS / 12,
      exitCode: random.chance(0.2) ? 3 : 0,
      isDeaf: random.chance(0.2),
    },
    interruptions: Array.from({ length: Math.floor(random.next() * 8) }, () => ({
      afterMs: random.between(0, HOUR_MS / 2),
      noticeMs: random.chance(0.5) ? 120_000 : 0,
    })),
    prepare(cloud, { clock }) {
      for (const runId of cancelled) {
        const at = clock.now() + random.between(0, 2.5 * HOUR_MS);
        clock.at(at, () => cloud.request({ runId }, 'RunCancelRequested'));
      }
    },
  };
}

function drawRequest(runId: string, random: Random) {
  const mode = MODES[Math.floor(random.next() * MODES.length)] ?? 'onlyEBS';
  const isArray = mode !== 'onlyEBS' && random.chance(0.4);
  return {
    runId,
    mode,
    parameters: drawParameters(mode, random),
    jobs: [{ name: 'main', ...(isArray ? { arraySize: TASKS } : {}) }],
  };
}

function drawParameters(mode: Mode, random: Random) {
  const keeps = random.chance(0.1);
  const policies = mode === 'onlyEBS' ? ['retain', 'release'] : ['retain', 'release', 'export'];
  return {
    onFailure: policies[Math.floor(random.next() * policies.length)],
    ...(mode === 'onlyEBS' ? { deleteEbs: !keeps } : { deleteLustre: !keeps }),
    ...(mode === 'autoExport' && random.chance(0.5) ? { exportProof: 'metrics' } : {}),
  };
}

/** FSx is good in half of the seeds; in others something of each kind fails now and then. */
function drawFate(random: Random): NonNullable<Scenario['fsx']>['fate'] {
  if (random.chance(0.5)) return {};
  const sometimes = (probability: number) => random.chance(probability);
  return {
    fileSystem: () =>
      sometimes(0.2) ? { kind: 'fails', message: 'There is insufficient capacity.' } : undefined,
    association: () =>
      sometimes(0.2)
        ? { kind: 'misconfigured', message: 'no access', healsAfterMs: 600_000 }
        : undefined,
    task: () => (sometimes(0.2) ? { kind: 'fails', message: 'it broke' } : undefined),
    file: () => (sometimes(0.05) ? 'S3AccessDenied' : undefined),
  };
}

/** Everything that must not be, in words. */
async function wrongs({ cloud, facts, made, buckets }: Simulated): Promise<string[]> {
  const wrong: string[] = [];
  for (const run of cloud.runs.all()) {
    const { id, status, storage } = run;
    const types = (await cloud.runs.journal(id)).map(({ type }) => type);
    const volumes = cloud.volumes.all().filter(({ runId }) => runId === id);
    const fileSystems = cloud.fsx
      .all()
      .filter(({ tags }) => tags.some(({ Value }) => Value === id));
    const jobs = cloud.batch.all().filter(({ jobName }) => jobName.includes(`-${id}_`));
    const isOver = isLast(status);
    const twice = ONCE.filter((type) => types.filter((each) => each === type).length > 1);
    wrong.push(...twice.map((type) => `${id} has ${type} twice`));
    if (types.length > EVENTS_MAX) wrong.push(`${id} has ${types.length} events`);
    if ([...made.values()].filter(({ runId }) => runId === id).length > 1) {
      wrong.push(`${id} had several volumes`);
    }
    const left = volumes.length + fileSystems.length;
    if (isOver && storage.over !== 'kept' && left > 0) wrong.push(`${id} left storage`);
    if (isOver && jobs.some((job) => job.status !== 'SUCCEEDED' && job.status !== 'FAILED')) {
      wrong.push(`${id} left a job`);
    }
    // Who takes the empty queue for proof has said so: a file that S3 refused is not noticed then.
    const isProven = status === 'succeeded' && run.parameters.exportProof !== 'metrics';
    wrong.push(...(isProven ? missingResults(run, buckets) : []));
  }
  const inside = new Map<string, number>();
  for (const { kind, task, at } of facts) {
    const run = await cloud.runs.get(task.wanted.runId);
    const isEnded = run && (isLast(run.status) || run.status === 'retained');
    if (kind === 'started' && isEnded && at > Date.parse(run.since)) {
      wrong.push(`a container started after ${run.id} was ${run.status}`);
    }
    const change = { started: 1, ended: -1, noticed: 0, killed: 0 }[kind];
    // A file system has room for many, but each task of a run only once.
    const place = `${task.wanted.storage} ${task.index ?? ''}`;
    const now = (inside.get(place) ?? 0) + change;
    inside.set(place, now);
    if (now > 1) wrong.push(`two containers on ${place}`);
  }
  return wrong;
}

/** What a run that succeeded must have left in S3, whole. */
function missingResults({ id, jobs }: Run, buckets: Simulated['buckets']): string[] {
  const size = jobs.main?.arraySize;
  const names = size
    ? Array.from({ length: size }, (_, index) => `task-${index}/result`)
    : ['result'];
  return names
    .filter((name) => buckets.get('results', `runs/${id}/${name}`) !== resultOf(id, HOUR_MS))
    .map((name) => `${id} succeeded without ${name}`);
}

describe('a swarm of runs', () => {
  it.each(SEEDS)(
    'comes to rest with nothing lost, doubled or left behind (seed %i)',
    async (seed) => {
      const simulated = await simulate(drawScenario(seed));
      expect(await wrongs(simulated)).toEqual([]);
    },
  );
});
