import {
  anyOf,
  isToBeKept,
  JobsEnded,
  mayBeAlive,
  nextLook,
  ReleaseStarted,
  StorageReleased,
  VISIBLE_WITHIN_MS,
} from '../events';
import { again, conclude, ignore, proceed, reaction } from './lib';

/** Gives the run's file system back, a step at a time. ReleaseStarted, probe → StorageReleased. */
export const releaseFileSystem = reaction({
  name: 'release-file-system',
  on: anyOf<unknown>(ReleaseStarted, JobsEnded),
  watches: ['releasing'],
  uses: ['fileSystems'],
  emits: [StorageReleased],
  repeats: true,

  decide(run) {
    const { id, status, storage } = run;
    if (status !== 'releasing') return ignore(`run is ${status}`);
    if (storage.kind !== 'fileSystem') return ignore('the storage is a volume');
    if (storage.over === 'released' || storage.over === 'kept')
      return ignore(`file system is ${storage.over}`);
    if (mayBeAlive(run)) return ignore('a job of it may be alive');
    if (isToBeKept(run)) return ignore('the file system is to be kept');
    return proceed(`${id}.release`, {
      runId: id,
      since: run.acceptedAt,
      fileSystemId: storage.id,
    });
  },

  act: (wanted, _key, { fileSystems }) => fileSystems.release(wanted),

  record(released, run, now) {
    const { requestedAt, availableAt, id } = run.storage;
    if (released.kind === 'going') return again(nextLook(run, now));
    // One that was asked for a moment ago, and never seen, may exist and not be shown yet.
    const shownBy = requestedAt ? Date.parse(requestedAt) + VISIBLE_WITHIN_MS : 0;
    if (!availableAt && now < shownBy) return again(shownBy);
    return conclude(StorageReleased.of({ storageId: id }));
  },
});
