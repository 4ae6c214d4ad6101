import {
  nextLook,
  pricePerHour,
  type Run,
  StorageKept,
  StorageReleased,
  VISIBLE_WITHIN_MS,
} from '../../events';
import { again, conclude } from './handler';
import type { Released } from './ports';

/** What follows a step of a release: another look, or the word that the storage is gone. */
export function afterRelease(released: Released, run: Run, now: number) {
  const { requestedAt, availableAt, id } = run.storage;
  if (released.kind === 'going') return again(nextLook(run, now));
  // Storage that was asked for a moment ago, and never seen, may exist and not be shown yet.
  const shownBy = requestedAt ? Date.parse(requestedAt) + VISIBLE_WITHIN_MS : 0;
  if (!availableAt && now < shownBy) return again(shownBy);
  return conclude(StorageReleased.of({ storageId: id }));
}

/** What follows the mark that storage is its owner's: its price, or that there is none to keep. */
export function afterKeep(
  { storageId, isThere }: { readonly storageId: string; readonly isThere: boolean },
  run: Run,
) {
  return isThere
    ? conclude(StorageKept.of({ storageId, pricePerHour: pricePerHour(run) }))
    : conclude(StorageReleased.of({ storageId }));
}
