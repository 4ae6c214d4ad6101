import { type Envelope, fieldsOf, isLast, MODES, type Mode, type Settings } from '../events';
import type { LogLine } from '../handlers';
import type { ReaperMode } from '../handlers/feeders/reaper';
import { type Buckets, memoryBuckets } from './buckets';
import { virtualClock } from './clock';
import { ACCOUNT, type Cloud, localCloud, REGION, type Weather } from './cloud';
import { type Faults, NO_FAULTS, weatherOf } from './faults';
import type { LocalFileSystem } from './fsx';
import type { HostFact, Task } from './hosts';
import { type MemoryIntake, memoryIntake } from './intake';
import { type Random, seededRandom } from './random';
import { memoryRuns } from './run-store';
import { type MemoryTrees, memoryTrees } from './trees';
import type { LocalVolume } from './volumes';
import { memoryMarkers, type SimulatedDisks, simulatedContainers, type Workload } from './workload';

/** One simulation: everything that decides how it goes. */
export interface Scenario {
  readonly seed: number;
  readonly requests: readonly unknown[];
  readonly workload?: Workload | ((task: Task) => Workload);
  readonly faults?: Faults;
  /** When Spot takes the host away: seconds after an attempt begins; 0 notice is a hard kill. */
  readonly interruptions?: readonly { readonly afterMs: number; readonly noticeMs: number }[];
  readonly settings?: Settings;
  /** Changes the cloud before the first event, or lets something happen in it later. */
  readonly prepare?: (cloud: Cloud, world: World) => void;
  /** Not at rest before that: for what is to happen later. */
  readonly restsAfterMs?: number;
  /** Answers creations in AWS's place. */
  readonly refuse?: Weather['refuse'];
  /** What FSx answers, and what becomes of what it makes. */
  readonly fsx?: Weather['fsx'];
  /** Absent: reports. */
  readonly reaper?: ReaperMode;
  readonly maxVcpus?: number;
}

/** What a simulation has besides its cloud. */
export interface World {
  readonly clock: ReturnType<typeof virtualClock>;
  readonly buckets: Buckets;
  readonly disks: SimulatedDisks;
  readonly trees: MemoryTrees;
  /** Puts uploads into the intake bucket. */
  readonly intake: MemoryIntake;
  readonly random: Random;
  readonly facts: HostFact[];
  readonly log: LogLine[];
  /** Every volume that was ever made. */
  readonly made: Map<string, LocalVolume>;
  /** Every file system that was ever made. */
  readonly madeFileSystems: Map<string, LocalFileSystem>;
}

export interface Simulated extends World {
  readonly cloud: Cloud;
}

export const START = Date.parse('2026-11-20T08:00:00Z');
const HOUR_MS = 3_600_000;
/** Faults end after this time: then everything must come to rest. */
const FAULTS_MS = 12 * HOUR_MS;
const DRAIN_MS = 2 * HOUR_MS;
const STEPS_MAX = 200_000;

const REGISTRY = '000000000000.dkr.ecr.us-east-1.amazonaws.com';

/** What a stack of these modes brings. */
export function settingsOf(...modes: [Mode, ...Mode[]]): Settings {
  return {
    modes,
    layers: {},
    repositories: Object.fromEntries(
      MODES.map((mode) => [mode, `${REGISTRY}/${mode.toLowerCase()}`]),
    ),
    resultsBucket: 'results',
    intakeBucket: 'intake',
    zones: ['us-east-1a', 'us-east-1b', 'us-east-1c'],
  };
}

export const SETTINGS: Settings = settingsOf('onlyEBS');

/** An hour of work, saved every five minutes. */
const WORKLOAD: Workload = { workMs: HOUR_MS, checkpointMs: 300_000 };

/**
 * Plays a scenario in virtual time until every run is over or retained and all storage is settled.
 * The same seed gives the same simulation, to the last event.
 */
export async function simulate(scenario: Scenario): Promise<Simulated> {
  const { seed, requests, restsAfterMs = 0 } = scenario;
  const world = worldOf(seed);
  const { clock } = world;
  const cloud = cloudOf(scenario, world);
  scenario.prepare?.(cloud, world);
  for (const request of requests) cloud.request(request);
  const earliest = START + restsAfterMs;
  const isDone = eachMinute(clock, () => clock.now() >= earliest && isAtRest(cloud, requests));
  await clock.runUntil(isDone, STEPS_MAX);
  // What is late, or has no owner, shows itself after everything seems to be over.
  const until = clock.now() + DRAIN_MS;
  await clock.runUntil(() => clock.now() >= until, STEPS_MAX);
  cloud.close();
  return { ...world, cloud };
}

function worldOf(seed: number): World & { notify: (envelope: Envelope) => void } {
  const random = seededRandom(seed);
  const clock = virtualClock(START);
  const buckets = memoryBuckets();
  const world = {
    ...{ clock, random, buckets, trees: memoryTrees(buckets), disks: new Map<string, number>() },
    facts: [],
    log: [],
    made: new Map(),
    madeFileSystems: new Map(),
    notify: (_envelope: Envelope) => {},
  };
  const place = { clock, random, buckets, account: ACCOUNT, region: REGION };
  const intake = memoryIntake({ ...place, notify: (envelope) => world.notify(envelope) });
  return Object.assign(world, { intake });
}

function cloudOf(scenario: Scenario, world: ReturnType<typeof worldOf>): Cloud {
  const { workload = WORKLOAD, faults = NO_FAULTS, refuse, fsx, settings = SETTINGS } = scenario;
  const { clock, random, disks, trees, made, madeFileSystems, facts, log } = world;
  const isOver = () => clock.now() > START + FAULTS_MS;
  const interruptions = [...(scenario.interruptions ?? [])];
  const workloadOf = typeof workload === 'function' ? workload : () => workload;
  const leave = (task: Task, text: string) => leaveResult(task, text, world);
  const weather = weatherOf(faults, { random, isOver });
  const cloud = localCloud({
    clock,
    random,
    runs: memoryRuns(),
    settings: () => settings,
    containers: simulatedContainers({ clock, disks, workloadOf, leave }),
    markers: memoryMarkers(),
    disks: { save: (volume) => void made.set(volume.volumeId, volume), remove: () => {} },
    trees,
    fsx: {
      notes: {
        save: (each) => void madeFileSystems.set(each.fileSystemId, each),
        remove: () => {},
      },
    },
    intake(notify) {
      world.notify = notify;
      return world.intake;
    },
    reaper: scenario.reaper ?? 'report',
    maxVcpus: scenario.maxVcpus,
    weather: { ...weather, refuse, fsx: { ...weather.fsx, ...fsx } },
    onLog: (line) => void log.push(line),
    onFact(fact) {
      facts.push(fact);
      const next = fact.kind === 'started' ? interruptions.shift() : undefined;
      if (!next) return;
      clock.at(fact.at + next.afterMs, () => {
        cloud.batch.interrupt(fact.task.jobId, next.noticeMs);
      });
    },
  });
  return cloud;
}

/** A volume's job copies its result to S3 itself; others leave it on the file system, each task its own. */
function leaveResult(
  { wanted, index }: Task,
  text: string,
  { buckets, trees, clock }: World,
): void {
  const { storage, results } = wanted;
  const name = index === undefined ? 'result' : `task-${index}/result`;
  if (storage.startsWith('vol-'))
    return buckets.put(results.bucket, `${results.prefix}${name}`, text);
  const [fileSystemId = ''] = storage.split('@');
  trees.write(fileSystemId, `/scratch/${name}`, text, clock.now());
}

/** Asks once a minute of cloud time: reading all runs at every step would take longer than the steps. */
function eachMinute({ now }: World['clock'], isDone: () => boolean): () => boolean {
  let next = now();
  return () => {
    if (now() < next) return false;
    next = now() + 60_000;
    return isDone();
  };
}

/** Every request has become a run, and none of them has anywhere to go but by time. */
function isAtRest({ runs }: Cloud, requests: readonly unknown[]): boolean {
  const all = runs.all();
  const ids = requests.map((request, index) => fieldsOf(request)?.runId ?? index);
  const isSettled = all.every(({ status }) => isLast(status) || status === 'retained');
  return isSettled && all.length >= new Set(ids).size;
}
