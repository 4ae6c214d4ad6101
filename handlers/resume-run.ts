import {
  afterResume,
  ExportRequested,
  hasAnswered,
  RequestRefused,
  RunResumed,
  RunResumeRequested,
} from '../events';
import { conclude, ignore, reaction } from './lib';

/** Answers the wish to go on. RunResumeRequested → RunResumed | ExportRequested | RequestRefused. */
export const resumeRun = reaction({
  name: 'resume-run',
  on: RunResumeRequested,
  watches: [],
  uses: [],
  emits: [RunResumed, ExportRequested, RequestRefused],

  decide(run, { data }) {
    if (!('detail' in data)) return ignore('not a request');
    if (hasAnswered(run, data.derivedId)) return ignore('this request was answered before');
    return conclude(...afterResume(run, data.derivedId));
  },
});
