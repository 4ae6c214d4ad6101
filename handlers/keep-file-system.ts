import {
  anyOf,
  isToBeKept,
  JobsEnded,
  mayBeAlive,
  ReleaseStarted,
  StorageKept,
  StorageReleased,
} from '../events';
import { afterKeep, ignore, proceed, reaction } from './lib';

/** Leaves the file system to its owner where the run says so. ReleaseStarted, probe → StorageKept | StorageReleased. */
export const keepFileSystem = reaction({
  name: 'keep-file-system',
  on: anyOf<unknown>(ReleaseStarted, JobsEnded),
  watches: ['releasing'],
  uses: ['fileSystems'],
  emits: [StorageKept, StorageReleased],
  repeats: true,

  decide(run) {
    const { id, status, storage } = run;
    if (status !== 'releasing') return ignore(`run is ${status}`);
    if (storage.kind !== 'fileSystem') return ignore('the storage is a volume');
    if (!storage.id || !isToBeKept(run)) return ignore('there is no file system to keep');
    if (mayBeAlive(run)) return ignore('a job of it may be alive');
    return proceed(`${id}.keep`, storage.id);
  },

  async act(storageId, _key, { fileSystems }) {
    return { storageId, isThere: await fileSystems.keep(storageId) };
  },

  record: afterKeep,
});
