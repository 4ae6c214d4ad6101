import {
  afterCancel,
  ReleaseStarted,
  RequestRefused,
  RunCancelRequested,
  StopRequested,
} from '../events';
import { conclude, ignore, reaction } from './lib';

/** Answers the wish to stop a run. RunCancelRequested → StopRequested | ReleaseStarted | RequestRefused. */
export const cancelRun = reaction({
  name: 'cancel-run',
  on: RunCancelRequested,
  watches: [],
  uses: [],
  emits: [StopRequested, ReleaseStarted, RequestRefused],

  decide(run, { data }) {
    if (!('detail' in data)) return ignore('not a request');
    const { reason } = data.detail;
    const said = typeof reason === 'string' && reason !== '' ? reason : 'somebody asked for it';
    return conclude(...afterCancel(run, said));
  },
});
