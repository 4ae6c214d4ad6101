import { type Envelope, probeOf, REQUESTS, RunRequested, type Settings } from '../events';
import {
  execute,
  HANDLERS,
  type Handler,
  type LogLine,
  type Ports,
  type ProbeMessage,
} from '../handlers';
import { publishEvents } from '../handlers/feeders/publish-events';
import { scheduleProbe, sendProbe } from '../handlers/feeders/send-probes';
import { sweep } from '../handlers/feeders/sweep';
import { type LocalBatch, localBatch } from './batch';
import { type LocalBus, localBus } from './bus';
import type { Timeline } from './clock';
import { type Containers, type HostFact, localHosts, type Markers } from './hosts';
import { memoryOnce } from './once';
import type { Random } from './random';
import type { MemoryRuns } from './run-store';
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
}

/** An event that no handler could deal with, and why. */
export interface DeadLetter {
  readonly handler: string;
  readonly envelope: Envelope;
  readonly error: string;
}

/** The whole product in one process: the production handlers, and twins where AWS would be. */
export interface Cloud {
  readonly runs: MemoryRuns;
  readonly volumes: LocalVolumes;
  readonly batch: LocalBatch;
  readonly bus: LocalBus;
  readonly nativeBus: LocalBus;
  readonly deadLetters: DeadLetter[];
  /** Puts a request on the bus, as any service of the account could. */
  request(detail: unknown, type?: string): void;
  /** Ends every process, every chain of looks and the sweep. */
  close(): void;
}

interface Parts {
  readonly clock: Timeline;
  readonly random: Random;
  readonly runs: MemoryRuns;
  readonly settings: Settings;
  readonly containers: Containers;
  readonly markers: Markers;
  readonly disks?: Disks;
  readonly existing?: readonly LocalVolume[];
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
  const { clock, random, runs, weather = CALM } = parts;
  const place = { account: ACCOUNT, region: REGION, now: clock.now, random };
  const [bus, nativeBus] = [localBus(place), localBus(place)];
  const common = { clock, random, account: ACCOUNT, region: REGION, notify: nativeBus.send };
  const { disks, existing, containers, markers, onFact } = parts;
  const volumes = localVolumes({ ...common, disks, existing, refuse: weather.refuse });
  const hosts = localHosts({ clock, random, volumes, containers, markers, onFact });
  const batch = localBatch({ ...common, hosts });
  const deadLetters: DeadLetter[] = [];
  const ports: Ports = {
    clock,
    random: random.next,
    runs,
    once: memoryOnce(clock),
    log: parts.onLog ?? (() => {}),
    settings: { read: async () => parts.settings },
    volumes,
    jobs: batch,
  };
  let isClosed = false;

  const later = (ms: number, run: () => void) =>
    clock.at(clock.now() + ms, () => {
      if (!isClosed) run();
    });

  function invoke(handler: Handler, envelope: Envelope, tries: number): void {
    const { triesMax, waitMs } = isAboutRequests(handler) ? QUEUE : LAMBDA;
    execute(handler, envelope, weather.ports(ports)).catch((error: Error) => {
      if (tries < triesMax) return later(waitMs(tries), () => invoke(handler, envelope, tries + 1));
      return deadLetters.push({ handler: handler.name, envelope, error: error.message });
    });
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

  /** The stream and the queue try again until it works; so does what stands for them here. */
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

  function tick(): void {
    later(MINUTE_MS, tick);
    if (weather.sweeps()) sweep({ ...ports, bus }).catch(() => {});
  }

  for (const handler of HANDLERS) listen(handler);
  tick();
  return {
    runs,
    volumes,
    batch,
    bus,
    nativeBus,
    deadLetters,
    request(detail, type = RunRequested.type) {
      void bus.put([{ source: 'local', detailType: type, detail }]);
    },
    close() {
      isClosed = true;
      hosts.close();
    },
  };
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
