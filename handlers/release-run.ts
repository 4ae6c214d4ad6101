import {
  afterReleaseRequest,
  fieldsOf,
  hasAnswered,
  ReleaseStarted,
  RequestRefused,
  RunReleaseRequested,
} from '../events';
import { conclude, ignore, reaction } from './lib';

/** Answers the wish to give retained storage back now. RunReleaseRequested → ReleaseStarted | RequestRefused. */
export const releaseRun = reaction({
  name: 'release-run',
  on: RunReleaseRequested,
  watches: [],
  uses: [],
  emits: [ReleaseStarted, RequestRefused],

  decide(run, { data }) {
    if (!('detail' in data)) return ignore('not a request');
    const { detail, derivedId: requestId } = data;
    if (hasAnswered(run, requestId)) return ignore('this request was answered before');
    const discard = fieldsOf(detail)?.discard === true;
    return conclude(...afterReleaseRequest(run, { discard, requestId }));
  },
});
