import { fingerprintOf, RunRequested, STATUSES } from '../../events';
import { acceptRun } from '../../handlers/accept-run';
import { SETTINGS } from '../../sim/simulator';
import { NOW } from '../support/builders';
import { envelope, runIn } from './world';

const DERIVED = 'run-11111111222243338444555555555555';
const requested = (detail: object) => RunRequested.parse(envelope('RunRequested', detail));
const judged = (detail: object) =>
  acceptRun.judge?.({ runId: 'r1', detail: { ...detail }, settings: SETTINGS }, undefined, NOW);

describe('accept-run decides', () => {
  it('looks at the settings for a request nobody has met', () => {
    const detail = { runId: 'r1' };
    expect(acceptRun.decide(undefined, requested(detail), NOW)).toEqual({
      kind: 'look',
      target: { runId: 'r1', detail },
    });
  });

  it.each(STATUSES)('ignores the request a second time when its run is %s', (status) => {
    const detail = { runId: 'r1', parameters: { ebsSizeGb: 10 } };
    const before = runIn(status, { fingerprint: fingerprintOf(detail) });
    expect(acceptRun.decide(before, requested(detail), NOW)).toEqual({
      kind: 'ignore',
      reason: 'the same request came before',
    });
  });

  it.each(STATUSES)('refuses another request under the id of a run that is %s', (status) => {
    expect(acceptRun.decide(runIn(status), requested({ runId: 'r1' }), NOW)).toEqual({
      kind: 'conclude',
      drafts: [
        {
          type: 'RequestRefused',
          data: {
            request: 'RunRequested',
            reason: 'another request came under the id r1, which is taken: choose another runId',
            requestId: DERIVED,
            rejectedAs: DERIVED,
          },
        },
      ],
    });
  });

  it('refuses one request once', () => {
    const before = runIn('running', { lastAnswered: DERIVED });
    expect(acceptRun.decide(before, requested({ runId: 'r1' }), NOW)).toEqual({
      kind: 'ignore',
      reason: 'this request was answered before',
    });
  });
});

describe('accept-run judges', () => {
  it('accepts a good request and asks for its storage in the same commit', () => {
    expect(judged({ parameters: { zone: 'us-east-1b', ebsSizeGb: 600 } })).toMatchObject({
      kind: 'conclude',
      mode: 'onlyEBS',
      drafts: [
        {
          type: 'RunAccepted',
          data: {
            parameters: { zone: 'us-east-1b', ebsSizeGb: 600, ebsIOPS: 5000 },
            jobs: [{ name: 'main' }],
            results: { bucket: 'results', prefix: 'runs/r1/' },
          },
        },
        {
          type: 'StorageRequested',
          data: { kind: 'volume', zone: 'us-east-1b', sizeGib: 600 },
        },
      ],
    });
  });

  it('rejects a bad request with its reason and its fingerprint', () => {
    const detail = { parameters: { ebsSizeGb: 0 } };
    expect(judged(detail)).toEqual({
      kind: 'conclude',
      mode: 'onlyEBS',
      drafts: [
        {
          type: 'RunRejected',
          data: {
            reason: expect.stringContaining('ebsSizeGb must be'),
            fingerprint: fingerprintOf(detail),
          },
        },
      ],
    });
  });

  it('a request to a stack that names no zones without throwing', () => {
    const layer = { name: 'cdk.json', deploys: true, values: { zones: [] } };
    const settings = { ...SETTINGS, layers: { onlyEBS: [layer] } };
    const judge = () => acceptRun.judge?.({ runId: 'r1', detail: {}, settings }, undefined, NOW);
    expect(judge).not.toThrow();
  });

  it('remembers the request by its content and not by its id', () => {
    const [first] = [judged({ runId: 'r1' })];
    expect(first).toMatchObject({ drafts: [{ data: { fingerprint: fingerprintOf({}) } }, {}] });
  });
});
