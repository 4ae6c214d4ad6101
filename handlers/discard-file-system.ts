import { nextLook, StorageDeferred, StorageDiscarded } from '../events';
import { again, conclude, ignore, proceed, reaction } from './lib';

/**
 * Removes a file system that failed for want of room, before another one is asked for: nothing was ever
 * on it. StorageDeferred, probe → StorageDiscarded.
 */
export const discardFileSystem = reaction({
  name: 'discard-file-system',
  on: StorageDeferred,
  watches: ['queued'],
  uses: ['fileSystems'],
  emits: [StorageDiscarded],
  repeats: true,

  decide({ id, status, storage }) {
    if (status !== 'queued') return ignore(`run is ${status}`);
    if (storage.kind !== 'fileSystem') return ignore('the storage is a volume');
    if (!storage.id) return ignore('there is nothing to discard');
    return proceed(`${id}.discard`, storage.id);
  },

  // By its id alone: the run may have asked for another one by the time this is carried out.
  async act(storageId, _key, { fileSystems }) {
    await fileSystems.discard(storageId);
    const [left] = await fileSystems.describe([storageId]);
    return { storageId, isGone: left === undefined };
  },

  record: ({ storageId, isGone }, run, now) =>
    isGone && run.storage.id === storageId
      ? conclude(StorageDiscarded.of({ storageId }))
      : again(nextLook(run, now)),
});
