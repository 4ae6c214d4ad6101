import { type Envelope, hash, PROBE_DUE, SOURCE } from '../events';
import { type Jobs, type Ports, type SubmittedJob, Throttled } from '../handlers';
import type { Weather } from './cloud';
import { Crash } from './once';
import type { Random } from './random';

/** How often what goes wrong, as probabilities. */
export interface Faults {
  /** Events of AWS that never arrive. */
  readonly dropNative: number;
  /** Our own events that never arrive: EventBridge gives up on a target after a day. */
  readonly dropOwn: number;
  /** Probes that never arrive. */
  readonly dropProbes: number;
  /** Events that arrive more than once. */
  readonly repeat: number;
  /** How late an event may be, in milliseconds: more than the distance of two events shuffles them. */
  readonly lateMs: number;
  /** Handlers that die at any call to the outside, before it or after it took effect. */
  readonly crash: number;
  /** SubmitJob answers that are lost although the job exists. */
  readonly loseSubmit: number;
  /** Sweeps that do not take place. */
  readonly missSweep: number;
  /** Own events that are lost whatever happens: their type. */
  readonly loseType?: string;
  /** How long a call to the outside takes, at the most: deliveries overtake each other meanwhile. */
  readonly callMs: number;
  /** Delayed looks never come back: only the sweep sends probes. */
  readonly losesDelays?: boolean;
  /** Calls to AWS that it turns away: it wants fewer of them. */
  readonly throttle?: number;
  /** Jobs that an answer of DescribeJobs leaves out. */
  readonly missDescribe?: number;
  /** Points of the export queue's metric that never come. */
  readonly missPoints?: number;
}

export const NO_FAULTS: Faults = {
  dropNative: 0,
  dropOwn: 0,
  dropProbes: 0,
  repeat: 0,
  lateMs: 0,
  crash: 0,
  loseSubmit: 0,
  missSweep: 0,
  callMs: 0,
};

const BUS_MS = 150;

/** Draws the faults of one simulation: about half of the kinds are absent, the others more or less hard. */
export function drawFaults(random: Random): Faults {
  const some = (max: number) => (random.chance(0.5) ? 0 : random.between(0, max));
  return {
    dropNative: random.chance(0.2) ? 1 : some(0.5),
    dropOwn: some(0.3),
    dropProbes: some(0.5),
    repeat: some(0.5),
    lateMs: some(600_000),
    crash: some(0.15),
    loseSubmit: some(0.5),
    missSweep: some(0.3),
    callMs: some(2000),
    throttle: some(0.1),
    missDescribe: some(0.2),
    missPoints: some(0.3),
  };
}

/** The weather that these faults make. `isOver` ends them, so that a simulation comes to rest. */
export function weatherOf(
  faults: Faults,
  { random, isOver = () => false }: { random: Random; isOver?: () => boolean },
): Weather {
  const happens = (probability: number) => !isOver() && random.chance(probability);
  const lateness = () => BUS_MS + (isOver() ? 0 : random.between(0, faults.lateMs));
  return {
    arrivals(envelope) {
      if (envelope['detail-type'] === faults.loseType && !isOver()) return [];
      if (happens(dropOf(envelope, faults))) return [];
      const arrivals = [lateness()];
      while (arrivals.length < 4 && happens(faults.repeat)) arrivals.push(lateness());
      return arrivals;
    },
    ports: (ports) =>
      fragile(ports, {
        crashes: () => happens(faults.crash),
        losesSubmit: () => happens(faults.loseSubmit),
        throttles: () => happens(faults.throttle ?? 0),
        misses: () => happens(faults.missDescribe ?? 0),
        takesMs: () => (faults.callMs > 0 ? random.between(0, faults.callMs) : 0),
      }),
    sweeps: () => !happens(faults.missSweep),
    delays: () => faults.losesDelays !== true || isOver(),
    // The same answer for the same point: a missing one does not come later.
    isMissing: ({ fileSystemId, at }) =>
      !isOver() && hash(`${fileSystemId}.${at}`) % 1000 < (faults.missPoints ?? 0) * 1000,
  };
}

function dropOf({ source, 'detail-type': type }: Envelope, faults: Faults): number {
  if (source.startsWith('aws.')) return faults.dropNative;
  if (type === PROBE_DUE) return faults.dropProbes;
  // A request that nobody delivers is nobody's run: the queue in front of it holds it for 14 days.
  return source === SOURCE ? faults.dropOwn : 0;
}

interface Fragility {
  readonly crashes: () => boolean;
  readonly losesSubmit: () => boolean;
  readonly throttles: () => boolean;
  readonly misses: () => boolean;
  readonly takesMs: () => number;
}

/** Ports on which every call may be the handler's last, before it took effect or after. */
function fragile(
  ports: Ports,
  { crashes, losesSubmit, throttles, misses, takesMs }: Fragility,
): Ports {
  const breakable = <Port extends object>(port: Port, isAws = false): Port =>
    new Proxy(port, {
      get: (target, name, receiver) => {
        const member = Reflect.get(target, name, receiver);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]) => {
          if (crashes()) throw new Crash('crashed before the call');
          if (isAws && throttles()) throw new Throttled('Rate exceeded');
          const ms = takesMs();
          if (ms > 0) await ports.clock.sleep(ms);
          const value = await member.apply(target, args);
          if (crashes()) throw new Crash('crashed after the call');
          return value;
        };
      },
    });
  return {
    ...ports,
    runs: breakable(ports.runs),
    volumes: breakable(ports.volumes, true),
    fileSystems: breakable(ports.fileSystems, true),
    metrics: breakable(ports.metrics, true),
    jobs: breakable(forgetful(silent(ports.jobs, losesSubmit), misses), true),
    claims: breakable(ports.claims),
    intake: breakable(ports.intake),
    settings: breakable(ports.settings),
  };
}

/** Answers of DescribeJobs that leave a job out now and then. */
function forgetful(jobs: Jobs, misses: () => boolean): Jobs {
  return {
    ...jobs,
    describe: async (ids) => (await jobs.describe(ids)).filter(() => !misses()),
  };
}

function silent(jobs: Jobs, loses: () => boolean): Jobs {
  return {
    ...jobs,
    async submit(wanted): Promise<SubmittedJob> {
      const answer = await jobs.submit(wanted);
      return loses() ? { ok: 'unknown', reason: 'the connection timed out' } : answer;
    },
  };
}
