import { type Run, RunId } from '../../events';
import {
  alarmsOf,
  DELETIONS_MAX,
  isDue,
  type Leak,
  type LeakItem,
  leakOf,
  pricePerHourOf,
} from '../../events/leaks';
import type { Clock, FileSystems, OwnedStorage, Runs, Volumes } from '../lib';
import { type Failures, newFailures } from './failures';

/** `report` lists and never deletes. */
export type ReaperMode = 'report' | 'act';

/** Remembers since when storage is seen as leaked. */
export interface Sightings {
  /**
   * Since when each of these is seen so (ISO 8601): since `now` where it was not among them the last
   * time. Whatever is not among them is forgotten.
   */
  firstSeen(storageIds: readonly string[], now: string): Promise<ReadonlyMap<string, string>>;
}

/** What one sweep found and did. */
export interface LeakReport {
  /** ISO 8601. */
  readonly at: string;
  readonly mode: ReaperMode;
  /** How much storage the cloud showed, whosever it is. */
  readonly seen: number;
  /** What no run accounts for: leaked, then quarantined, then extra, each by its id. */
  readonly items: readonly LeakItem[];
  readonly alarms: readonly string[];
  /** What all of it costs that was not deleted, in US dollars. */
  readonly dollarsPerHour: number;
}

/** Something could not be listed, read, remembered or deleted. The report is of all the rest. */
export class IncompleteSweep extends AggregateError {
  constructor(
    readonly report: LeakReport,
    errors: readonly Error[],
  ) {
    const [first] = errors;
    super(errors, `the look for leaks failed ${errors.length} times, first: ${first?.message}`);
  }
}

interface Reaped {
  readonly clock: Pick<Clock, 'now'>;
  readonly runs: Pick<Runs, 'get'>;
  readonly volumes: Pick<Volumes, 'list' | 'discard'>;
  readonly fileSystems: Pick<FileSystems, 'list' | 'discard'>;
  readonly sightings: Sightings;
}

/**
 * The hourly look for storage that nobody owns: lists the cloud first, then asks the table. Deletes what
 * is leaked and was an hour ago, a little at a time; all else that no run accounts for it only tells.
 */
export async function reap(ports: Reaped, mode: ReaperMode): Promise<LeakReport> {
  const now = ports.clock.now();
  const sweep: Sweep = { ports, mode, now, failures: newFailures() };
  const found = await list(sweep);
  const judged = await judge(found, sweep);
  const leaked = await remember(judged, sweep);
  const due = leaked.filter((each) => isDue(each, now));
  const fates = await settle(due, sweep);
  const counts = { seen: found.length, due: due.length, unjudged: found.length - judged.length };

  const waiting = leaked.map((each) => [each.storageId, waitingSince(each.firstSeenAt)] as const);
  const allFates = new Map([...waiting, ...fates]);
  const items = judged
    .flatMap((each) => itemOf(each, allFates, now))
    .sort((a, b) => ORDER.indexOf(a.finding) - ORDER.indexOf(b.finding));
  const report: LeakReport = {
    at: new Date(now).toISOString(),
    mode,
    seen: found.length,
    items,
    alarms: alarmsOf(items, counts),
    dollarsPerHour: pricePerHourOf(items.filter(({ action }) => action !== 'deleted')),
  };
  const { errors } = sweep.failures;
  if (errors.length > 0) throw new IncompleteSweep(report, errors);
  return report;
}

/** What all steps of one sweep share. */
interface Sweep {
  readonly ports: Reaped;
  readonly mode: ReaperMode;
  /** Before anything was listed: an age is never taken for more than it is. */
  readonly now: number;
  readonly failures: Failures;
}

/** Everything there is, each once and in the order of the ids. */
async function list({ ports, failures }: Sweep): Promise<readonly OwnedStorage[]> {
  const nothing = (): readonly OwnedStorage[] => [];
  const found = [
    ...(await failures.or(nothing, 'list the volumes', () => ports.volumes.list())),
    ...(await failures.or(nothing, 'list the file systems', () => ports.fileSystems.list())),
  ];
  const byId = new Map(found.map((storage) => [storage.storageId, storage]));
  return [...byId.values()].sort((a, b) => (a.storageId < b.storageId ? -1 : 1));
}

interface Judged {
  readonly storage: OwnedStorage;
  readonly leak: Leak;
}

const ASKED_AT_ONCE = 20;

/** Those of which the table could be asked. */
async function judge(found: readonly OwnedStorage[], sweep: Sweep): Promise<readonly Judged[]> {
  const judged: Judged[] = [];
  for (let start = 0; start < found.length; start += ASKED_AT_ONCE) {
    const some = found.slice(start, start + ASKED_AT_ONCE);
    const runs = await Promise.all(some.map(({ runId }) => runOf(runId, sweep)));
    for (const [index, storage] of some.entries()) {
      const run = runs[index];
      if (run === 'unknown') continue;
      judged.push({ storage, leak: leakOf(storage, run, sweep.now) });
    }
  }
  return judged;
}

function runOf(runId: string, { ports, failures }: Sweep): Promise<Run | undefined | 'unknown'> {
  // A tag that somebody else changed may hold what is no key of the table.
  if (!RunId.safeParse(runId).success) return Promise.resolve(undefined);
  return failures.or<Run | undefined | 'unknown'>(
    () => 'unknown',
    `read run ${runId}`,
    () => ports.runs.get(runId),
  );
}

interface Leaked extends OwnedStorage {
  readonly firstSeenAt: string;
  readonly overSince: string;
}

/** Those that are leaked, with since when they are seen so. */
async function remember(judged: readonly Judged[], sweep: Sweep): Promise<readonly Leaked[]> {
  const leaked = judged.flatMap(({ storage, leak }) =>
    leak.finding === 'leaked' ? [{ ...storage, overSince: leak.overSince }] : [],
  );
  const now = new Date(sweep.now).toISOString();
  const ids = leaked.map(({ storageId }) => storageId);
  const nothing = (): ReadonlyMap<string, string> => new Map();
  const seen = await sweep.failures.or(nothing, 'remember what is leaked', () =>
    sweep.ports.sightings.firstSeen(ids, now),
  );
  return leaked.map((each) => ({ ...each, firstSeenAt: seen.get(each.storageId) ?? now }));
}

/** What became of leaked storage, and why. */
interface Fate {
  readonly action: LeakItem['action'];
  readonly why: string;
}

/** Deletes what is due, or says why not. */
async function settle(due: readonly Leaked[], sweep: Sweep): Promise<ReadonlyMap<string, Fate>> {
  const fates = new Map<string, Fate>();
  const isTooMuch = due.length > DELETIONS_MAX;
  for (const storage of due) {
    if (sweep.mode === 'report') fates.set(storage.storageId, REPORTED);
    else if (isTooMuch) fates.set(storage.storageId, HELD_BACK);
    else fates.set(storage.storageId, await discard(storage, sweep));
  }
  return fates;
}

const REPORTED: Fate = { action: 'waiting', why: 'due to be deleted, which mode act would do' };
const HELD_BACK: Fate = {
  action: 'waiting',
  why: `due to be deleted, but with more than ${DELETIONS_MAX} others none is: delete it by hand if it is nobody’s`,
};

function waitingSince(firstSeenAt: string): Fate {
  const why = `seen so since ${firstSeenAt}, to be deleted once it is an hour`;
  return { action: 'waiting', why };
}

function discard({ storageId, kind, isInUse }: Leaked, sweep: Sweep): Promise<Fate> {
  const { volumes, fileSystems } = sweep.ports;
  const port = kind === 'volume' ? volumes : fileSystems;
  const failed = (why: string): Fate => ({ action: 'refused', why: `not deleted: ${why}` });
  return sweep.failures.or(failed, `delete ${storageId}`, async () => {
    if (await port.discard(storageId)) return { action: 'deleted', why: 'deleted' };
    return failed(isInUse ? 'it is in use' : 'it is in use or kept by now, or going already');
  });
}

const ORDER: readonly LeakItem['finding'][] = ['leaked', 'quarantined', 'extra'];

/** Nothing for what a run or an owner accounts for. */
function itemOf(
  { storage, leak }: Judged,
  fates: ReadonlyMap<string, Fate>,
  now: number,
): readonly LeakItem[] {
  const { finding } = leak;
  if (finding === 'kept' || finding === 'young' || finding === 'owned') return [];
  const { storageId, kind, runId, createdAt, pricePerHour } = storage;
  const { action, why } = fates.get(storageId) ?? { action: 'none', why: undefined };
  const reason = why ? `${leak.reason}; ${why}` : leak.reason;
  const ageMs = now - Date.parse(createdAt);
  return [{ storageId, kind, runId, finding, reason, ageMs, pricePerHour, action }];
}
