import {
  anyOf,
  isToBeKept,
  JobsEnded,
  mayBeAlive,
  ReleaseStarted,
  StorageReleased,
} from '../events';
import { afterRelease, ignore, proceed, reaction } from './lib';

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

  record: afterRelease,
});
