import { StorageDiscarded, StorageRequested, storageWanted } from '../events';
import { again, conclude, ignore, reaction } from './lib';

/** Asks for storage anew when AWS had no room for it. StorageDiscarded, probe → StorageRequested. */
export const requestStorage = reaction({
  name: 'request-storage',
  on: StorageDiscarded,
  watches: ['queued'],
  uses: [],
  emits: [StorageRequested],

  decide(run, _event, now) {
    if (run.status !== 'queued') return ignore(`run is ${run.status}`);
    if (run.storage.id) return ignore('the storage before is still there');
    const retryAt = Date.parse(run.storage.retryAt ?? run.since);
    if (now < retryAt) return again(retryAt);
    return conclude(storageWanted(run));
  },
});
