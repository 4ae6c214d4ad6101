import { isLast } from './contract';
import { isToBeKept } from './policy';
import type { Run } from './run';

/** A creation may be on its way to the table for so long, and storage is seen as leaked for so long. */
export const LEAK_GRACE_MS = 3_600_000;
/** The clocks of AWS and of ours may differ by so much. */
const SKEW_MS = 5 * 60_000;
/** What one sweep deletes at most: where more is due, it is not the storage that is wrong. */
export const DELETIONS_MAX = 5;

/** Storage as the cloud shows it, as far as it is judged. */
export interface FoundStorage {
  readonly storageId: string;
  /** As its tag says. */
  readonly runId: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly isKept: boolean;
}

/** Whose storage is, and why it is thought so. */
export type Leak =
  | { readonly finding: 'kept' | 'young' | 'owned'; readonly reason: string }
  /** `extra`: a living run's, but not its storage. `quarantined`: nobody but a person may judge it. */
  | { readonly finding: 'extra' | 'quarantined'; readonly reason: string }
  /** Its run has been over since then, and nothing can be lost. */
  | { readonly finding: 'leaked'; readonly reason: string; readonly overSince: string };

/** Judges one piece of storage by its run, which must have been asked for after the storage was listed. */
export function leakOf(storage: FoundStorage, run: Run | undefined, now: number): Leak {
  if (storage.isKept) return { finding: 'kept', reason: 'its owner keeps it' };
  if (now - Date.parse(storage.createdAt) < LEAK_GRACE_MS) {
    const reason = 'it is younger than an hour: its creation may be on its way to the table';
    return { finding: 'young', reason };
  }
  if (!run) return quarantined(`the table has no run "${storage.runId}", which its tag names`);
  if (Date.parse(storage.createdAt) < Date.parse(run.acceptedAt) - SKEW_MS) {
    const made = `it was made ${storage.createdAt}`;
    return quarantined(`${made}, before run ${run.id} of its tag was accepted`);
  }
  return isLast(run.status) ? afterItsRun(storage, run) : duringItsRun(storage, run);
}

function duringItsRun({ storageId }: FoundStorage, { id, status, storage }: Run): Leak {
  if (storage.id === storageId) return { finding: 'owned', reason: `run ${id} is ${status}` };
  const other = storage.id ? `has ${storage.id}` : 'has none in the table';
  const reason = `run ${id} is ${status} and ${other}: its own release finds this one by its tag`;
  return { finding: 'extra', reason };
}

function afterItsRun({ createdAt }: FoundStorage, run: Run): Leak {
  const { id, status, since, storage } = run;
  const over = `run ${id} is ${status} since ${since}`;
  if (storage.over !== 'released') {
    return quarantined(`${over}, and its storage is ${storage.over ?? 'not said to be released'}`);
  }
  if (storage.unseen) {
    return quarantined(`${over}, and its storage was lost from sight: it may hold results`);
  }
  // The owner's wish outlives a volume that could not be found when it was to be kept.
  if (isToBeKept({ ...run, storage: { ...storage, over: undefined } })) {
    return quarantined(`${over}, and its parameters say that its storage is to be kept`);
  }
  // No handler acts for an hour on a run that is over: this is the storage of another run of that id.
  if (Date.parse(createdAt) - Date.parse(since) > LEAK_GRACE_MS) {
    return quarantined(`${over}, and this was made ${createdAt}, long after it`);
  }
  const reason = `${over} and its storage is released, but this is still there`;
  return { finding: 'leaked', reason, overSince: since };
}

function quarantined(why: string): Leak {
  const remedy = 'nothing deletes it by itself: delete it by hand if it is nobody’s';
  return { finding: 'quarantined', reason: `${why}; ${remedy}` };
}

/** Whether leaked storage has been seen so for an hour, all of it after its run was over. */
export function isDue(
  { firstSeenAt, overSince }: { readonly firstSeenAt: string; readonly overSince: string },
  now: number,
): boolean {
  return now - Math.max(Date.parse(firstSeenAt), Date.parse(overSince)) >= LEAK_GRACE_MS;
}

/** Storage that no run accounts for, and what a sweep did with it. */
export interface LeakItem {
  readonly storageId: string;
  readonly kind: 'volume' | 'fileSystem';
  readonly runId: string;
  readonly finding: 'leaked' | 'quarantined' | 'extra';
  /** What it is, why it is thought so, and what to do. */
  readonly reason: string;
  readonly ageMs: number;
  /** US dollars per hour. */
  readonly pricePerHour: number;
  /** `waiting`: it is to be deleted, but not in this sweep. `refused`: it was to be, and was not. */
  readonly action: 'none' | 'waiting' | 'deleted' | 'refused';
}

/** What a sweep counted besides what it lists. */
export interface LeakCounts {
  /** All that the cloud showed. */
  readonly seen: number;
  /** Leaked for long enough. */
  readonly due: number;
  /** Shown by the cloud, but the table could not be asked. */
  readonly unjudged: number;
}

/** What somebody must be told of at once, in sentences. */
export function alarmsOf(items: readonly LeakItem[], counts: LeakCounts): readonly string[] {
  const { seen, due, unjudged } = counts;
  const of = (finding: LeakItem['finding']) => items.filter((item) => item.finding === finding);
  const refused = items.filter(({ action }) => action === 'refused').length;
  const alarms: string[] = [];
  const alarm = (count: number, above: number, sentence: string) => {
    if (count > above) alarms.push(`${count} of ${seen} ${sentence}`);
  };
  alarm(
    due,
    DELETIONS_MAX,
    `due to be deleted, and ${DELETIONS_MAX} is the most for one sweep: none was; if the table was restored, mend that first, else delete by hand what is nobody’s`,
  );
  alarm(
    of('quarantined').length,
    0,
    `in quarantine, ${dollarsOf(of('quarantined'))}: nothing deletes them by itself; if the table was restored, mend that first, else delete by hand what is nobody’s`,
  );
  alarm(
    of('extra').length,
    DELETIONS_MAX,
    `not the storage of the living run they are tagged with, ${dollarsOf(of('extra'))}: if the table was restored, mend that first`,
  );
  alarm(refused, 0, 'not deleted, though due: the reason stands with each');
  alarm(unjudged, 0, 'could not be judged, as the table did not answer: they are left alone');
  return alarms;
}

function dollarsOf(items: readonly LeakItem[]): string {
  return `$${pricePerHourOf(items).toFixed(2)}/h`;
}

/** What these cost together, in US dollars per hour. */
export function pricePerHourOf(items: readonly Pick<LeakItem, 'pricePerHour'>[]): number {
  return items.reduce((sum, { pricePerHour }) => sum + pricePerHour, 0);
}
