import { fieldsOf, isLast, type Settings } from '../events';
import type { LogLine } from '../handlers';
import { type Buckets, memoryBuckets } from './buckets';
import { virtualClock } from './clock';
import { type Cloud, localCloud, type Weather } from './cloud';
import { type Faults, NO_FAULTS, weatherOf } from './faults';
import type { HostFact } from './hosts';
import { type Random, seededRandom } from './random';
import { memoryRuns } from './run-store';
import type { LocalVolume } from './volumes';
import { memoryMarkers, type SimulatedDisks, simulatedContainers, type Workload } from './workload';

/** One simulation: everything that decides how it goes. */
export interface Scenario {
  readonly seed: number;
  readonly requests: readonly unknown[];
  readonly workload?: Workload;
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
}

/** What a simulation has besides its cloud. */
export interface World {
  readonly clock: ReturnType<typeof virtualClock>;
  readonly buckets: Buckets;
  readonly disks: SimulatedDisks;
  readonly random: Random;
  readonly facts: HostFact[];
  readonly log: LogLine[];
  /** Every volume that was ever made. */
  readonly made: Map<string, LocalVolume>;
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

export const SETTINGS: Settings = {
  modes: ['onlyEBS'],
  layers: {},
  repositories: { onlyEBS: '000000000000.dkr.ecr.us-east-1.amazonaws.com/batch-job-with-ebs' },
  resultsBucket: 'results',
  zones: ['us-east-1a', 'us-east-1b', 'us-east-1c'],
};

/** An hour of work, saved every five minutes. */
const WORKLOAD: Workload = { workMs: HOUR_MS, checkpointMs: 300_000 };

/**
 * Plays a scenario in virtual time until every run is over or retained and every volume is settled.
 * The same seed gives the same simulation, to the last event.
 */
export async function simulate(scenario: Scenario): Promise<Simulated> {
  const { seed, requests, workload = WORKLOAD, faults = NO_FAULTS } = scenario;
  const random = seededRandom(seed);
  const clock = virtualClock(START);
  const [buckets, disks] = [memoryBuckets(), new Map<string, number>()];
  const [facts, log, made]: [HostFact[], LogLine[], Map<string, LocalVolume>] = [[], [], new Map()];
  const world: World = { clock, buckets, disks, random, facts, log, made };
  const isOver = () => clock.now() > START + FAULTS_MS;
  const interruptions = [...(scenario.interruptions ?? [])];

  const cloud = localCloud({
    clock,
    random,
    runs: memoryRuns(),
    settings: scenario.settings ?? SETTINGS,
    containers: simulatedContainers({ clock, buckets, disks, workloadOf: () => workload }),
    markers: memoryMarkers(),
    disks: { save: (volume) => void made.set(volume.volumeId, volume), remove: () => {} },
    weather: { ...weatherOf(faults, { random, isOver }), refuse: scenario.refuse },
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
  scenario.prepare?.(cloud, world);
  for (const request of requests) cloud.request(request);
  const earliest = START + (scenario.restsAfterMs ?? 0);
  await clock.runUntil(() => clock.now() >= earliest && isAtRest(cloud, requests), STEPS_MAX);
  // What is late, or has no owner, shows itself after everything seems to be over.
  const until = clock.now() + DRAIN_MS;
  await clock.runUntil(() => clock.now() >= until, STEPS_MAX);
  cloud.close();
  return { ...world, cloud };
}

/** Every request has become a run, and none of them has anywhere to go but by time. */
function isAtRest({ runs }: Cloud, requests: readonly unknown[]): boolean {
  const all = runs.all();
  const ids = requests.map((request, index) => fieldsOf(request)?.runId ?? index);
  const isSettled = all.every(({ status }) => isLast(status) || status === 'retained');
  return isSettled && all.length >= new Set(ids).size;
}
