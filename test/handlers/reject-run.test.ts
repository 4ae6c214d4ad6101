import { RequestCollided, STATUSES } from '../../events';
import { rejectRun } from '../../handlers/reject-run';
import { NOW } from '../support/builders';
import { envelope, runIn } from './world';

const refused = RequestCollided.parse(
  envelope('RequestRefused', {
    runId: 'r1',
    mode: 'onlyEBS',
    data: { request: 'RunRequested', reason: 'r1 is taken', rejectedAs: 'run-7' },
  }),
);

describe('reject-run decides', () => {
  it('keeps a refused request as a run of its own that says why', () => {
    expect(rejectRun.decide(undefined, refused, NOW)).toEqual({
      kind: 'conclude',
      mode: 'onlyEBS',
      drafts: [{ type: 'RunRejected', data: { reason: 'r1 is taken', fingerprint: '' } }],
    });
  });

  it('keeps where the request came from, so that its upload is answered', () => {
    const cause = { upload: { bucket: 'intake', key: 'requests/a.json', sequencer: '0A' } };
    const data = { request: 'RunRequested', reason: 'r1 is taken', rejectedAs: 'up-7', cause };
    const event = RequestCollided.parse(
      envelope('RequestRefused', { runId: 'r1', mode: 'onlyEBS', data }),
    );
    expect(rejectRun.decide(undefined, event, NOW)).toMatchObject({
      drafts: [{ type: 'RunRejected', data: { cause } }],
    });
  });

  it('is about the refused request and not about the run it collided with', () => {
    expect(refused.about).toEqual({ runId: 'run-7' });
  });

  it.each(STATUSES)('ignores a request whose own run is %s', (status) => {
    expect(rejectRun.decide(runIn(status), refused, NOW)).toEqual({
      kind: 'ignore',
      reason: 'rejected already',
    });
  });
});
