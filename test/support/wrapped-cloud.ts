import { type Envelope, isLast, type Settings } from '../../events';
import type { Ports } from '../../handlers';
import { memoryBuckets } from '../../sim/buckets';
import { virtualClock } from '../../sim/clock';
import { ACCOUNT, CALM, type Cloud, localCloud, REGION, type Weather } from '../../sim/cloud';
import type { Task } from '../../sim/hosts';
import { memoryIntake } from '../../sim/intake';
import { seededRandom } from '../../sim/random';
import { type MemoryRuns, memoryRuns } from '../../sim/run-store';
import { type Simulated, START, settingsOf, type World } from '../../sim/simulator';
import { memoryTrees } from '../../sim/trees';
import type { LocalVolume } from '../../sim/volumes';
import { memoryMarkers, simulatedContainers } from '../../sim/workload';
import { fileSystemOf, HOUR_MS, type Played, WORK, watchDeadlines } from './plays';

/** What a simulation has no word for: ports that answer as a test says, a table of yesterday, things that are there. */
export interface Wrapped {
  readonly requests?: readonly object[];
  readonly wrap?: (ports: Ports, world: World) => Ports;
  readonly weather?: Partial<Weather>;
  readonly settings?: Settings;
  readonly runs?: MemoryRuns;
  readonly volumes?: readonly LocalVolume[];
  /** Cloud time at which it begins. */
  readonly start?: number;
  readonly prepare?: (cloud: Cloud, world: World) => void;
  /** Not at rest before this much time is over. */
  readonly restsAfterMs?: number;
}

const STEPS_MAX = 400_000;
const DRAIN_MS = HOUR_MS;

/** A calm cloud behind ports of the test's making, played until every run is over or retained. */
export async function playWrapped(wrapped: Wrapped): Promise<Played> {
  const { requests = [], start = START, restsAfterMs = 0 } = wrapped;
  const late = new Set<string>();
  const simulated = cloudOf(wrapped, start);
  const { cloud, clock } = simulated;
  watchDeadlines(cloud, simulated, late);
  wrapped.prepare?.(cloud, simulated);
  for (const request of requests) cloud.request(request);
  const isAtRest = () =>
    cloud.runs.all().length >= requests.length &&
    cloud.runs.all().every(({ status }) => isLast(status) || status === 'retained');
  const earliest = start + restsAfterMs;
  let next = 0;
  const isDone = () => {
    // Reading all runs at every step would take longer than the steps.
    if (clock.now() < next) return false;
    next = clock.now() + 60_000;
    return clock.now() >= earliest && isAtRest();
  };
  await clock.runUntil(isDone, STEPS_MAX);
  const until = clock.now() + DRAIN_MS;
  await clock.runUntil(() => clock.now() >= until, STEPS_MAX);
  cloud.close();
  return { ...simulated, late: [...late] };
}

function cloudOf(wrapped: Wrapped, start: number): Simulated {
  const { wrap = (ports) => ports, weather, volumes, runs = memoryRuns() } = wrapped;
  const { settings = settingsOf('taskExport', 'autoExport', 'onlyEBS') } = wrapped;
  const { world, hear } = worldOf(start);
  const { clock, random, disks, trees, made, madeFileSystems, log, facts } = world;
  const cloud = localCloud({
    ...{ clock, random, runs, trees, settings: () => settings },
    containers: simulatedContainers({
      clock,
      disks,
      workloadOf: () => WORK,
      leave: (task, text) => leaveResult(task, text, world),
    }),
    markers: memoryMarkers(),
    existing: volumes,
    disks: { save: (volume) => void made.set(volume.volumeId, volume), remove: () => {} },
    fsx: {
      notes: {
        save: (each) => void madeFileSystems.set(each.fileSystemId, each),
        remove: () => {},
      },
    },
    intake(notify) {
      hear(notify);
      return world.intake;
    },
    weather: { ...CALM, ports: (ports) => wrap(ports, world), ...weather },
    onLog: (line) => void log.push(line),
    onFact: (fact) => void facts.push(fact),
  });
  return { ...world, cloud };
}

function worldOf(start: number) {
  const random = seededRandom(1);
  const clock = virtualClock(start);
  const buckets = memoryBuckets();
  let notify = (_envelope: Envelope) => {};
  const place = { clock, random, buckets, account: ACCOUNT, region: REGION };
  const world: World = {
    ...{ clock, random, buckets, trees: memoryTrees(buckets), disks: new Map() },
    ...{ facts: [], log: [], made: new Map(), madeFileSystems: new Map() },
    intake: memoryIntake({ ...place, notify: (envelope) => notify(envelope) }),
  };
  const hear = (listener: typeof notify) => {
    notify = listener;
  };
  return { world, hear };
}

/** A volume's job copies its result itself; others leave it where an export finds it. */
function leaveResult(task: Task, text: string, { buckets, trees, clock }: World): void {
  const { storage, results } = task.wanted;
  if (storage.startsWith('vol-')) buckets.put(results.bucket, `${results.prefix}result`, text);
  else trees.write(fileSystemOf(task), '/scratch/result', text, clock.now());
}
