import { RunCancelRequested, STATUSES } from '../../events';
import { cancelRun } from '../../handlers/cancel-run';
import { later, NOW } from '../support/builders';
import { envelope, runIn } from './world';

const cancel = (detail: object = { runId: 'r1', reason: 'wrong input' }) =>
  RunCancelRequested.parse(envelope('RunCancelRequested', detail));
const verdict = { kind: 'cancelled', reason: 'wrong input' };

const released = { type: 'ReleaseStarted', data: { verdict } };
const stopped = { type: 'StopRequested', data: { verdict } };
const refused = (reason: string) => ({
  type: 'RequestRefused',
  data: { request: 'RunCancelRequested', reason },
});
const ANSWERS = {
  queued: released,
  provisioning: released,
  ready: released,
  running: stopped,
  exporting: refused('the results are on their way to S3: the storage goes when they are there'),
  releasing: refused('the storage is being given back already'),
  retained: refused('the run is retained: release it, and its storage is given back'),
  succeeded: refused('the run is over: succeeded'),
  failed: refused('the run is over: failed'),
  cancelled: refused('the run is over: cancelled'),
  rejected: refused('the run is over: rejected'),
};

describe('cancel-run decides', () => {
  it.each(STATUSES)('one clear answer for a run that is %s', (status) => {
    expect(cancelRun.decide(runIn(status), cancel(), NOW)).toMatchObject({
      kind: 'conclude',
      drafts: [ANSWERS[status]],
    });
  });

  it('refuses to stop a run that stops already', () => {
    const stop = { verdict: { kind: 'failed', reason: 'too long' } as const, at: later(0) };
    expect(cancelRun.decide(runIn('running', { stop }), cancel(), NOW)).toMatchObject({
      kind: 'conclude',
      drafts: [refused('the run is stopping already')],
    });
  });

  it('refuses another wish for what is being done already', () => {
    const stop = { verdict: { kind: 'cancelled', reason: 'before' } as const, at: later(0) };
    expect(cancelRun.decide(runIn('running', { stop }), cancel(), NOW)).toMatchObject({
      kind: 'conclude',
      drafts: [refused('the run is stopping already')],
    });
  });

  it('answers a refused wish once, however often it is delivered', () => {
    const asked = cancel();
    const answered = 'derivedId' in asked.data ? [asked.data.derivedId] : [];
    expect(cancelRun.decide(runIn('releasing', { answered }), asked, NOW)).toEqual({
      kind: 'ignore',
      reason: 'this request was answered before',
    });
  });

  it.each([[undefined], [''], [7], [null], [{}]])(
    'says that somebody asked when the reason given is %j',
    (reason) => {
      expect(cancelRun.decide(runIn('ready'), cancel({ runId: 'r1', reason }), NOW)).toMatchObject({
        drafts: [{ data: { verdict: { reason: 'somebody asked for it' } } }],
      });
    },
  );
});
