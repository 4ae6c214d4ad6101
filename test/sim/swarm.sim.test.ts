import { isLast, type RunEventType } from '../../events';
import { drawFaults } from '../../sim/faults';
import { type Random, seededRandom } from '../../sim/random';
import { type Scenario, type Simulated, simulate } from '../../sim/simulator';

/** Many runs at once, and everything that may go wrong with them drawn from one seed. */
const SEEDS = Array.from({ length: 200 }, (_, index) => index + 1);
const HOUR_MS = 3_600_000;
/** Each of these may stand in a journal once, whatever is delivered how often. */
const ONCE: readonly RunEventType[] = [
  'RunAccepted',
  'VolumeCreated',
  'ReleaseStarted',
  'StorageReleased',
  'StorageKept',
];
const EVENTS_MAX = 60;

function drawScenario(seed: number): Scenario {
  const random = seededRandom(seed * 7919);
  const ids = Array.from({ length: 1 + Math.floor(random.next() * 3) }, (_, index) => `r${index}`);
  const cancelled = ids.filter(() => random.chance(0.3));
  return {
    seed,
    requests: ids.map((runId) => ({ runId, parameters: drawParameters(random) })),
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

function drawParameters(random: Random) {
  return {
    onFailure: random.chance(0.5) ? 'retain' : 'release',
    deleteEbs: random.chance(0.9),
  };
}

/** Everything that must not be, in words. */
async function wrongs({ cloud, facts, made, buckets }: Simulated): Promise<string[]> {
  const wrong: string[] = [];
  for (const { id, status, storage } of cloud.runs.all()) {
    const types = (await cloud.runs.journal(id)).map(({ type }) => type);
    const volumes = cloud.volumes.all().filter(({ runId }) => runId === id);
    const jobs = cloud.batch.all().filter(({ jobName }) => jobName.includes(`-${id}_`));
    const isOver = isLast(status);
    const twice = ONCE.filter((type) => types.filter((each) => each === type).length > 1);
    wrong.push(...twice.map((type) => `${id} has ${type} twice`));
    if (types.length > EVENTS_MAX) wrong.push(`${id} has ${types.length} events`);
    if ([...made.values()].filter(({ runId }) => runId === id).length > 1) {
      wrong.push(`${id} had several volumes`);
    }
    if (isOver && storage.over !== 'kept' && volumes.length > 0) wrong.push(`${id} left a volume`);
    if (isOver && jobs.some((job) => job.status !== 'SUCCEEDED' && job.status !== 'FAILED')) {
      wrong.push(`${id} left a job`);
    }
    if (status === 'succeeded' && !buckets.get('results', `runs/${id}/result`)) {
      wrong.push(`${id} succeeded without a result`);
    }
  }
  const inside = new Map<string, number>();
  for (const { kind, task, at } of facts) {
    const run = await cloud.runs.get(task.wanted.runId);
    const isEnded = run && (isLast(run.status) || run.status === 'retained');
    if (kind === 'started' && isEnded && at > Date.parse(run.since)) {
      wrong.push(`a container started after ${run.id} was ${run.status}`);
    }
    const change = { started: 1, ended: -1, noticed: 0, killed: 0 }[kind];
    const now = (inside.get(task.wanted.storage) ?? 0) + change;
    inside.set(task.wanted.storage, now);
    if (now > 1) wrong.push(`two containers on ${task.wanted.storage}`);
  }
  return wrong;
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
