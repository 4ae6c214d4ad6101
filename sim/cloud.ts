import {
  type Contract,
  type Envelope,
  probeOf,
  REQUESTS,
  RunRequested,
  S3ObjectCreated,
  type Settings,
} from '../events';
import {
  execute,
  HANDLERS,
  type Handler,
  type Intake,
  type LogLine,
  type Ports,
  type ProbeMessage,
  sharing,
} from '../handlers';
import { fileSystemsOn } from '../handlers/aws/file-systems';
import { publishEvents } from '../handlers/feeders/publish-events';
import { readUpload } from '../handlers/feeders/read-upload';
import { type LeakReport, type ReaperMode, reap, type Sightings } from '../handlers/feeders/reaper';
import { scheduleProbe, sendProbe } from '../handlers/feeders/send-probes';
import { sweep } from '../handlers/feeders/sweep';
import { type LocalBatch, localBatch } from './batch';
import { memoryBrakes } from './brakes';
import { type LocalBus, localBus } from './bus';
import { memoryClaims } from './claims';
import type { Timeline } from './clock';
import { type DeadLetter, type DeadLetters, memoryDeadLetters } from './dead-letters';
import { type FsxParts, type LocalFsx, localFsx } from './fsx';
import { type Containers, type HostFact, localHosts, type Markers } from './hosts';
import { localMetrics } from './metrics';
import { memoryOnce } from './once';
import type { Random } from './random';
import type { MemoryRuns } from './run-store';
import { memorySightings } from './sightings';
import type { Trees } from './trees';
import { type Disks, type LocalVolume, type LocalVolumes, localVolumes } from './volumes';

/** What goes wrong, and how often. Without weather everything arrives once, and nothing fails. */
export interface Weather {
  /** After how many milliseconds an event reaches a handler, once for each entry; empty: never. */
  arrivals(envelope: Envelope, handler: Handler): readonly number[];
  /** The ports as one delivery meets them. */
  ports(ports: Ports): Ports;
  /** Whether this tick of the sweep takes place. */
  sweeps(): boolean;
  /** Whether a delayed look comes back. */
  delays(): boolean;
  /** Answers a creation in AWS's place. */
  readonly refuse?: Parameters<typeof localVolumes>[0]['refuse'];
  /** What FSx answers, and what becomes of what it makes. */
  readonly fsx?: Pick<FsxParts, 'refuse' | 'fate' | 'quota'>;
  /** Points of a metric that never come. */
  readonly isMissing?: Parameters<typeof localMetrics>[0]['isMissing'];
}

/** The whole product in one process: the production handlers, and twins where AWS would be. */
export interface Cloud {
  readonly runs: MemoryRuns;
  readonly volumes: LocalVolumes;
  readonly fsx: LocalFsx;
  readonly batch: LocalBatch;
  readonly bus: LocalBus;
  readonly nativeBus: LocalBus;
  readonly deadLetters: DeadLetters;
  /** Puts a request on the bus, as any service of the account could. */
  request(detail: unknown, type?: string): void;
  /** Delivers every dead letter once more; those that are handled are dead no more. */
  redrive(): Promise<void>;
  /** The hourly look for what nobody owns, now. */
  reap(mode: ReaperMode): Promise<LeakReport>;
  /** Ends every process, every chain of looks and the sweep. */
  close(): void;
}

interface Parts {
  readonly clock: Timeline;
  readonly random: Random;
  readonly runs: MemoryRuns;
  /** Read anew for every request. */
  readonly settings: () => Settings;
  readonly containers: Containers;
  readonly markers: Markers;
  readonly disks?: Disks;
  readonly existing?: readonly LocalVolume[];
  readonly trees: Trees;
  /** What is remembered of file systems, and how they are looked after. */
  readonly fsx?: Pick<FsxParts, 'notes' | 'existing' | 'lookEveryMs'>;
  /** Over the intake bucket; what S3 tells goes to the native bus. */
  readonly intake: (notify: (envelope: Envelope) => void) => Intake;
  readonly deadLetters?: DeadLetters;
  readonly sightings?: Sightings;
  /** Absent: there is no reaper. */
  readonly reaper?: ReaperMode;
  readonly maxVcpus?: number;
  readonly weather?: Weather;
  readonly onLog?: (line: LogLine) => void;
  readonly onFact?: (fact: HostFact) => void;
}

export const ACCOUNT = '000000000000';
export const REGION = 'us-east-1';

/** Median hops as published: bus to Lambda 148 ms, stream to Lambda 213 ms. */
const BUS_MS = 150;
const STREAM_MS = 210;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The stack that the local cloud is, and its network: names, for nothing is behind them. */
export const NETWORK = {
  stack: 'Local',
  subnetOf: (zone: string) =>
    `subnet-${Buffer.from(zone).toString('hex').slice(-17).padStart(17, '0')}`,
  securityGroupIds: ['sg-00000000000000000'],
};
/** Lambda tries an asynchronous event three times, after one and two minutes. */
const LAMBDA = { triesMax: 3, waitMs: (tries: number) => tries * MINUTE_MS };
/** A request waits in a queue of 14 days, and is shown again three minutes after it failed. */
const QUEUE = { triesMax: 14 * 24 * 20, waitMs: () => 3 * MINUTE_MS };

/** Nothing goes wrong. */
export const CALM: Weather = {
  arrivals: () => [BUS_MS],
  ports: (ports) => ports,
  sweeps: () => true,
  delays: () => true,
};

/** Wires handlers, buses, store, feeders and twins together, by the patterns that the contracts state. */
export function localCloud(parts: Parts): Cloud {
  const { clock, random, runs, weather = CALM, deadLetters = memoryDeadLetters() } = parts;
  const place = { account: ACCOUNT, region: REGION, now: clock.now, random };
  const [bus, nativeBus] = [localBus(place), localBus(place)];
  const common = { clock, random, account: ACCOUNT, region: REGION, notify: nativeBus.send };
  const { disks, existing, containers, markers, trees, maxVcpus, onFact } = parts;
  const volumes = localVolumes({ ...common, disks, existing, refuse: weather.refuse });
  const fsx = localFsx({ ...common, ...parts.fsx, ...weather.fsx, trees });
  const hosts = localHosts({
    ...{ clock, random, volumes, containers, markers, onFact },
    fileSystems: fsx,
  });
  const batch = localBatch({ ...common, hosts, maxVcpus });
  const sightings = parts.sightings ?? memorySightings();
  const ports: Ports = sharing({
    clock,
    random: random.next,
    runs,
    once: memoryOnce(clock),
    log: parts.onLog ?? (() => {}),
    settings: { read: async () => parts.settings() },
    brakes: memoryBrakes(),
    claims: memoryClaims({ clock, runs }),
    volumes,
    fileSystems: fileSystemsOn(fsx, { ...NETWORK, now: clock.now, sleep: clock.sleep }),
    metrics: localMetrics({ clock, fsx, isMissing: weather.isMissing }),
    jobs: batch,
    intake: parts.intake(nativeBus.send),
  });
  let isClosed = false;

  const later = (ms: number, run: () => void) =>
    clock.at(clock.now() + ms, () => {
      if (!isClosed) run();
    });

  function invoke(handler: Handler, envelope: Envelope, tries: number): void {
    const { triesMax, waitMs } = isAboutRequests(handler) ? QUEUE : LAMBDA;
    execute(handler, envelope, weather.ports(ports)).catch((error: Error) => {
      if (tries < triesMax) return later(waitMs(tries), () => invoke(handler, envelope, tries + 1));
      return bury(handler, envelope, error);
    });
  }

  function bury({ name: handler }: Handler, envelope: Envelope, { message: error }: Error): void {
    if (isClosed) return;
    // Cloud time may run ahead of the person who reads this.
    const time = new Date().toISOString();
    try {
      deadLetters.save({ handler, envelope, error, time });
    } catch (cause) {
      // Where nothing can be written down any more, it must be said all the same.
      ports.log({
        handler,
        event: envelope['detail-type'],
        runId: '',
        seq: 0,
        decided: `${cause}`,
      });
    }
  }

  async function redriveOne(letter: DeadLetter): Promise<void> {
    const handler = HANDLERS.find(({ name }) => name === letter.handler);
    if (!handler) return;
    try {
      await execute(handler, letter.envelope, weather.ports(ports));
      deadLetters.remove(letter);
    } catch (error) {
      bury(handler, letter.envelope, error as Error);
    }
  }

  function listen(handler: Handler): void {
    const probes = handler.watches.length > 0 ? probeOf(handler.watches).patterns : [];
    for (const pattern of [...(handler.on?.patterns ?? []), ...probes]) {
      const deliver = (envelope: Envelope) => {
        for (const ms of weather.arrivals(envelope, handler)) {
          later(ms, () => invoke(handler, envelope, 1));
        }
      };
      (isNative(pattern) ? nativeBus : bus).addRule({ name: handler.name, pattern, deliver });
    }
  }

  /** The stream and the queues try again until it works; so does what stands for them here. */
  function insist(work: () => Promise<unknown>): void {
    work().catch(() => later(1000, () => insist(work)));
  }

  const delays = {
    async send(message: ProbeMessage, delaySeconds: number): Promise<void> {
      if (!weather.delays()) return;
      later(delaySeconds * 1000, () => insist(() => sendProbe(message, { runs, bus })));
    },
  };
  runs.onRecord((record) =>
    later(STREAM_MS, () =>
      insist(() =>
        record.kind === 'event'
          ? publishEvents([record.event], { bus })
          : scheduleProbe(record.look, { clock, delays }),
      ),
    ),
  );
  const readIntake = (envelope: Envelope) =>
    later(BUS_MS, () => insist(() => readUpload(envelope, { bus, ...ports })));
  for (const pattern of ofIntake(S3ObjectCreated, parts.settings().intakeBucket)) {
    nativeBus.addRule({ name: 'read-upload', pattern, deliver: readIntake });
  }

  const reapNow = (mode: ReaperMode) => reap({ ...ports, sightings }, mode);
  function tick(): void {
    later(MINUTE_MS, tick);
    if (weather.sweeps()) sweep({ ...weather.ports(ports), bus }).catch(() => {});
  }
  function hourly(mode: ReaperMode): void {
    later(HOUR_MS, () => hourly(mode));
    reapNow(mode).catch(() => {});
  }

  for (const handler of HANDLERS) listen(handler);
  tick();
  if (parts.reaper) hourly(parts.reaper);
  return {
    runs,
    volumes,
    fsx,
    batch,
    bus,
    nativeBus,
    deadLetters,
    request(detail, type = RunRequested.type) {
      void bus.put([{ source: 'local', detailType: type, detail }]);
    },
    async redrive() {
      for (const letter of deadLetters.read()) await redriveOne(letter);
    },
    reap: reapNow,
    close() {
      isClosed = true;
      hosts.close();
    },
  };
}

/** The patterns of S3, narrowed to the one bucket, as the stack narrows them. */
function ofIntake({ patterns }: Contract, bucket: string | undefined) {
  if (!bucket) return [];
  return patterns.map((pattern) => ({
    ...pattern,
    detail: { ...(pattern.detail as object | undefined), bucket: { name: [bucket] } },
  }));
}

/** Requests go through a queue, so that an outage of hours loses none. */
function isAboutRequests({ on }: Handler): boolean {
  return on?.types.some((type) => Object.hasOwn(REQUESTS, type)) ?? false;
}

/** Services of AWS speak on the account's default bus only. */
function isNative(pattern: { readonly source?: unknown }): boolean {
  const sources = Array.isArray(pattern.source) ? pattern.source : [];
  return sources.some((source) => typeof source === 'string' && source.startsWith('aws.'));
}
