import { join } from 'node:path';
import {
  type Envelope,
  isAtRest,
  type ModeSchedule,
  PROBE_DUE,
  type RunEvent,
  type Settings,
} from '../events';
import type { Handler, LogLine } from '../handlers';
import { enforceDeadline } from '../handlers/enforce-deadline';
import { realClock, type Timeline } from './clock';
import { ACCOUNT, CALM, type Cloud, localCloud, REGION } from './cloud';
import { deadLettersIn } from './dead-letters';
import { directoryTrees } from './directory-trees';
import { disksIn, fileSystemsIn, markersIn } from './disks';
import { appendLine, furnish, type Home, journalsIn } from './home';
import { noteOf, notesFile, notesOf } from './host-notes';
import type { HostFact, Task } from './hosts';
import { takeLetters } from './inbox';
import { folderIntake, objectCreated, watchIntake } from './intake';
import type { HostNote } from './ledger';
import { type LocalImage, processContainers } from './processes';
import { type Random, seededRandom } from './random';
import { memoryRuns } from './run-store';
import { localSchedules } from './schedules';
import { SIGHTINGS, sightingsAt } from './sightings';

/** The local cloud of a folder: real time, real processes, real files. */
export interface Local {
  readonly cloud: Cloud;
  /** Cloud time, in epoch milliseconds: it goes `speed` times as fast as the clock on the wall. */
  now(): number;
  /** Kills every job and stops every clock. What is on disk stays as it is. */
  close(): void;
}

/** One Spot interruption: real milliseconds after an attempt began; no warning is a hard kill. */
export interface Interruption {
  readonly afterMs: number;
  readonly isWarned: boolean;
}

/** Where, how fast, with which jobs, and who wants to hear of it. */
export interface LocalOptions {
  readonly home: Home;
  readonly speed: number;
  /** Read anew for every request. */
  readonly settings: () => Settings;
  readonly imageOf: (name: string) => LocalImage | undefined;
  /** The room for all jobs together; without an end where absent. */
  readonly maxVcpus?: number;
  /** Other processes may ask something of it: not where only what was left behind is put in order. */
  readonly isOpen?: boolean;
  /** It lives on, so that uploads and schedules may start runs. */
  readonly takesRequests?: boolean;
  /** What starts runs at its times. */
  readonly schedules?: readonly ModeSchedule[];
  /** Whether AWS's own events are lost, so that probes and the sweep must do. */
  readonly dropsEvents?: boolean;
  /** Asked at the start of every attempt. */
  readonly nextInterruption?: () => Interruption | undefined;
  readonly onEvent?: (event: RunEvent) => void;
  readonly onNote?: (note: HostNote, task: Task) => void;
  readonly onLog?: (line: LogLine) => void;
}

/** Spot's notice: two minutes before the host goes. */
export const NOTICE_MS = 120_000;

/** Opens the local cloud on what its folder holds: runs of earlier sessions are where they were left. */
export function openLocal(options: LocalOptions): Local {
  const { home, speed, settings, imageOf, onEvent, onNote } = options;
  const { resultsBucket, intakeBucket } = settings();
  furnish(home, intakeBucket ? [resultsBucket, intakeBucket] : [resultsBucket]);
  const journals = journalsIn(home);
  const disks = disksIn(home);
  const runs = memoryRuns({ beforeCommit: ({ events }) => journals.append(events) });
  const latest = Math.max(0, ...journals.ids().map((id) => load(id)));
  const clock = realClock({ start: Math.max(Date.now(), latest + 1), speed });
  const random = seededRandom(Date.now());
  let isClosed = false;
  /** Real times, by the Batch id of a job: when its attempt began, and whether its host is to go. */
  const begun = new Map<string, number>();
  const noticed = new Set<string>();

  /** Puts a run back. Gives the time of what happened last in it. */
  function load(id: string): number {
    const events = journals.read(id);
    // Time flies here: what an earlier session kept is kept until the clock on the wall says so.
    runs.load(events, (run) => {
      const { status, retainUntil = '' } = run;
      return status !== 'retained' || !isAtRest(run) || Date.parse(retainUntil) <= Date.now();
    });
    const times = [
      ...events.map(({ time }) => Date.parse(time)),
      ...notesOf(home, id).map(({ at }) => at),
    ];
    return Math.max(0, ...times);
  }

  function note(fact: HostFact): void {
    if (isClosed) return;
    const noted = noteOf(fact, home, { speed, begun, noticed });
    appendLine(home, notesFile(home, noted.runId), noted);
    onNote?.(noted, fact.task);
    const next = fact.kind === 'started' ? options.nextInterruption?.() : undefined;
    if (!next) return;
    const noticeMs = next.isWarned ? NOTICE_MS : 0;
    clock.at(fact.at + next.afterMs * speed, () => {
      if (!isClosed) cloud.batch.interrupt(fact.task.jobId, noticeMs);
    });
  }

  const isLost = ({ source }: Envelope) => options.dropsEvents && source.startsWith('aws.');
  /** Cloud time flies, but what is kept for a person is kept until the clock on the wall says so. */
  const isTooEarly = ({ detail, 'detail-type': type }: Envelope, handler: Handler) => {
    if (type !== PROBE_DUE || handler.name !== enforceDeadline.name) return false;
    const { runId, status } = detail as { runId: string; status: string };
    const { retainUntil = '' } = runs.all().find(({ id }) => id === runId) ?? {};
    return status === 'retained' && Date.now() < Date.parse(retainUntil);
  };
  const fileSystems = fileSystemsIn(home);
  const markers = markersIn(home);
  /** What is on disk stays as it is, once the cloud is closed: its clocks may still have something due. */
  const open = <Args extends readonly unknown[]>(write: (...args: Args) => void) => {
    return (...args: Args): void => {
      if (!isClosed) write(...args);
    };
  };
  const cloud = localCloud({
    clock,
    random,
    runs,
    settings,
    containers: processContainers({ home, imageOf }),
    markers: { ...markers, write: open(markers.write) },
    disks: { save: open(disks.save), remove: open(disks.remove) },
    existing: disks.read(),
    trees: directoryTrees({ rootOf: home.rootOf, buckets: home.buckets }),
    fsx: {
      notes: { save: open(fileSystems.save), remove: open(fileSystems.remove) },
      existing: fileSystems.read(),
      lookEveryMs: LOOK_MS * speed,
    },
    intake: () => folderIntake(home.buckets),
    deadLetters: deadLettersIn(home),
    sightings: sightingsAt(join(home.path, SIGHTINGS)),
    reaper: 'report',
    maxVcpus: options.maxVcpus,
    weather: {
      ...CALM,
      arrivals: (envelope, handler) =>
        isLost(envelope) || isTooEarly(envelope, handler) ? [] : CALM.arrivals(envelope, handler),
    },
    onFact: note,
    onLog: options.onLog,
  });
  runs.onRecord((record) => {
    if (record.kind === 'event') onEvent?.(record.event);
  });
  const shut = options.isOpen ? openDoors(options, { cloud, clock, random }) : () => {};
  return {
    cloud,
    now: clock.now,
    close() {
      isClosed = true;
      shut();
      cloud.close();
    },
  };
}

/** How often what comes from outside is looked for, in real time. */
const LOOK_MS = 200;

/** The ways in from outside: letters of other processes, uploads, schedules. Gives the way to end them. */
function openDoors(
  { home, speed, settings, takesRequests, schedules = [] }: LocalOptions,
  { cloud, clock, random }: { cloud: Cloud; clock: Timeline; random: Random },
): () => void {
  // What was meant for a session that died is nobody's any more.
  takeLetters(home);
  const letters = setInterval(() => deliver(home, cloud), LOOK_MS);
  letters.unref();
  const { intakeBucket } = settings();
  if (!takesRequests || !intakeBucket) return () => clearInterval(letters);

  const place = { clock, random, account: ACCOUNT, region: REGION };
  const stopWatching = watchIntake({
    folder: join(home.buckets, intakeBucket),
    clock,
    everyMs: LOOK_MS * speed,
    onObject: (object) =>
      cloud.nativeBus.send(objectCreated({ ...object, bucket: intakeBucket }, place)),
  });
  const stopSchedules = localSchedules({ schedules, clock, bus: cloud.bus });
  return () => {
    clearInterval(letters);
    stopWatching();
    stopSchedules();
  };
}

/** Does what others have asked for since the last time. */
function deliver(home: Home, { bus, redrive }: Cloud): void {
  for (const letter of takeLetters(home)) {
    if (letter.kind === 'event') bus.send(letter.envelope);
    else void redrive();
  }
}
