import { parameterOf, pricePerHour, ReleaseStarted, StorageKept } from '../events';
import { conclude, ignore, proceed, reaction } from './lib';

/** Leaves the volume to its owner where the run says so. ReleaseStarted, probe → StorageKept. */
export const keepVolume = reaction({
  name: 'keep-volume',
  on: ReleaseStarted,
  watches: ['releasing'],
  uses: ['volumes'],
  emits: [StorageKept],
  repeats: true,

  decide(run) {
    const { id, status, storage } = run;
    if (status !== 'releasing') return ignore(`run is ${status}`);
    if (storage.kind !== 'volume') return ignore('the storage is a file system');
    if (!storage.id || storage.over) return ignore('there is no volume to keep');
    if (parameterOf(run, 'deleteEbs')) return ignore('the volume is to be released');
    return proceed(`${id}.keep`, storage.id);
  },

  async act(volumeId, _key, { volumes }) {
    await volumes.keep(volumeId);
    return volumeId;
  },

  record: (storageId, run) =>
    conclude(StorageKept.of({ storageId, pricePerHour: pricePerHour(run) })),
});
