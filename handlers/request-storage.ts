import { StorageRequested, storageWanted } from '../events';
import { again, conclude, ignore, reaction } from './lib';

/** Asks for storage anew when AWS had no room for it. Probe → StorageRequested. */
export const requestStorage = reaction({
  name: 'request-storage',
  watches: ['queued'],
  uses: [],
  emits: [StorageRequested],

  decide(run, _event, now) {
    if (run.status !== 'queued') return ignore(`run is ${run.status}`);
    const retryAt = Date.parse(run.storage.retryAt ?? run.since);
    if (now < retryAt) return again(retryAt);
    return conclude(storageWanted(run));
  },
});
