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

/** Leaves the volume to its owner where the run says so. ReleaseStarted, probe → StorageKept | StorageReleased. */
export const keepVolume = reaction({
  name: 'keep-volume',
  on: anyOf<unknown>(ReleaseStarted, JobsEnded),
  watches: ['releasing'],
  uses: ['volumes'],
  emits: [StorageKept, StorageReleased],
  repeats: true,

  decide(run) {
    const { id, status, storage } = run;
    if (status !== 'releasing') return ignore(`run is ${status}`);
    if (storage.kind !== 'volume') return ignore('the storage is a file system');
    if (!storage.id || !isToBeKept(run)) return ignore('there is no volume to keep');
    if (mayBeAlive(run)) return ignore('a job of it may be alive');
    return proceed(`${id}.keep`, storage.id);
  },

  async act(storageId, _key, { volumes }) {
    return { storageId, isThere: await volumes.keep(storageId) };
  },

  record: afterKeep,
});
