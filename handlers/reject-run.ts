import { RequestCollided, RunRejected } from '../events';
import { begin, ignore, opener } from './lib';

/** Keeps a request whose id was taken as a run that says why. RequestRefused → RunRejected. */
export const rejectRun = opener({
  name: 'reject-run',
  on: RequestCollided,
  watches: [],
  uses: [],
  emits: [RunRejected],

  decide(run, { data }) {
    if (run) return ignore('rejected already');
    if (!('reason' in data)) return ignore('not a refusal');
    const { mode, reason, cause } = data;
    return begin(mode, RunRejected.of({ reason, fingerprint: '', cause }));
  },
});
