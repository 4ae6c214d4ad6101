import { join } from 'node:path';
import {
  type Envelope,
  isLast,
  type Run,
  RunCancelRequested,
  type RunEvent,
  replay,
  type Settings,
} from '../events';
import type { LogLine } from '../handlers';
import { realClock } from './clock';
import { CALM, type Cloud, localCloud } from './cloud';
import { filesIn } from './files';
import { appendLine, disksIn, furnish, type Home, journalsIn, markersIn, readLines } from './home';
import type { HostFact, Task } from './hosts';
import type { HostNote } from './ledger';
import { type LocalImage, processContainers } from './processes';
import { seededRandom } from './random';
import { memoryRuns } from './run-store';

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
  readonly settings: Settings;
  readonly imageOf: (name: string) => LocalImage | undefined;
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
  furnish(home, settings.resultsBucket);
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
    runs.load(events, ({ status, retainUntil = '' }) => {
      // Time flies here: what an earlier session kept is kept until the clock on the wall says so.
      return status !== 'retained' || Date.parse(retainUntil) <= Date.now();
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
  const cloud = localCloud({
    clock,
    random,
    runs,
    settings,
    containers: processContainers({ home, imageOf }),
    markers: markersIn(home),
    disks,
    existing: disks.read(),
    weather: {
      ...CALM,
      arrivals: (envelope, handler) => (isLost(envelope) ? [] : CALM.arrivals(envelope, handler)),
    },
    onFact: note,
    onLog: options.onLog,
  });
  runs.onRecord((record) => {
    if (record.kind === 'event') onEvent?.(record.event);
  });
  return {
    cloud,
    now: clock.now,
    close() {
      isClosed = true;
      cloud.close();
    },
  };
}

/** What an earlier session left behind: runs that were under way, and volumes that nobody needs. */
export interface Leftovers {
  readonly runs: readonly Run[];
  readonly volumeIds: readonly string[];
}

/** Looks at a folder without opening it. */
export function leftoversIn(home: Home): Leftovers {
  const runs = runsIn(home);
  const isUnderWay = ({ status }: Run) => !isLast(status) && status !== 'retained';
  const needed = runs.filter(({ status }) => !isLast(status)).map(({ id }) => id);
  const volumes = disksIn(home).read();
  return {
    runs: runs.filter(isUnderWay),
    volumeIds: volumes
      .filter(({ runId, isKept }) => !isKept && !needed.includes(runId))
      .map(({ volumeId }) => volumeId),
  };
}

/** The runs of a folder, as their journals tell. */
export function runsIn(home: Home): Run[] {
  const journals = journalsIn(home);
  return journals.ids().flatMap((id) => replay(journals.read(id)) ?? []);
}

/** Only waits are left when nothing runs any more, and they may go by as fast as they can. */
const TIDYING_SPEED = 2000;
const TIDYING_MS_MAX = 20_000;

/**
 * Cancels the runs that an earlier session left under way, and gives their volumes back: by the
 * product's own requests and handlers. Their processes died with the session. False: not all of
 * them came to their end in time.
 */
export async function tidy(
  home: Home,
  { runs, volumeIds }: Leftovers,
  settings: Settings,
): Promise<boolean> {
  for (const volumeId of volumeIds) disksIn(home).remove(volumeId);
  if (runs.length === 0) return true;
  const local = openLocal({ home, speed: TIDYING_SPEED, settings, imageOf: () => undefined });
  try {
    const reason = 'the local cloud was stopped';
    for (const { id: runId, status } of runs) {
      if (status !== 'releasing') local.cloud.request({ runId, reason }, RunCancelRequested.type);
    }
    return await until(async () => {
      const now = await Promise.all(runs.map(({ id }) => local.cloud.runs.get(id)));
      return now.every((run) => run && (isLast(run.status) || run.status === 'retained'));
    }, TIDYING_MS_MAX);
  } finally {
    local.close();
  }
}

/** Waits in real time, a little at a time. False: it took longer than it may. */
export async function until(isDone: () => Promise<boolean>, msMax: number): Promise<boolean> {
  const end = performance.now() + msMax;
  while (performance.now() < end) {
    if (await isDone()) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

/** What was noted of the hosts of a run, oldest first. */
export function notesOf(home: Home, runId: string): readonly HostNote[] {
  return readLines(notesFile(home, runId));
}

function notesFile({ path }: Home, runId: string): string {
  return join(path, 'hosts', `${runId}.jsonl`);
}

interface Attempts {
  readonly speed: number;
  readonly begun: Map<string, number>;
  readonly noticed: Set<string>;
}

/** What is kept of a fact. An attempt that a Spot interruption ended is asked what it left unsaved. */
function noteOf(fact: HostFact, home: Home, { speed, begun, noticed }: Attempts): HostNote {
  const { jobId, host, attempt, wanted } = fact.task;
  const { runId, spec, storage } = wanted;
  const common = { runId, kind: fact.kind, job: spec.name, host, attempt, at: fact.at, speed };
  const unsaved = () => unsavedMs(home.dataOf(storage), begun.get(jobId) ?? Date.now());
  switch (fact.kind) {
    case 'started':
      begun.set(jobId, Date.now());
      return common;
    case 'noticed':
      noticed.add(jobId);
      return common;
    case 'killed':
      noticed.delete(jobId);
      return { ...common, unsavedMs: unsaved() };
    default: {
      const { exitCode } = fact.exit;
      if (!noticed.delete(jobId) || exitCode === 0) return { ...common, exitCode };
      return { ...common, exitCode, unsavedMs: unsaved() };
    }
  }
}

/** Real time since an attempt last wrote to its storage: all of it, where it never did. */
function unsavedMs(folder: string, begun: number): number {
  const written = filesIn(folder).map(({ mtimeMs }) => mtimeMs);
  return Math.max(0, Date.now() - Math.max(begun, ...written));
}
