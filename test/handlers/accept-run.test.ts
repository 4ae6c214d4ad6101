import {
  fingerprintOf,
  type Run,
  RunRequested,
  readRequest,
  type Settings,
  STATUSES,
} from '../../events';
import { acceptRun } from '../../handlers/accept-run';
import { SETTINGS } from '../../sim/simulator';
import { NOW } from '../support/builders';
import { envelope, runIn, world } from './world';

const DERIVED = 'run-11111111222243338444555555555555';
const requested = (detail: object) => RunRequested.parse(envelope('RunRequested', detail));
const judged = (detail: object, holder?: string, settings: Settings = SETTINGS) => {
  const judgement = readRequest('r1', detail, settings);
  return acceptRun.judge?.({ runId: 'r1', detail, judged: judgement, holder }, undefined, NOW);
};
const CAUSE = { schedule: { name: 'nightly', time: '2026-11-20T08:05:00Z' } };
const LUSTRE: Settings = {
  ...SETTINGS,
  modes: ['taskExport'],
  repositories: { taskExport: 'image' },
  intakeBucket: 'intake',
};

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

  it('hands the cause of a refused request on, so that its upload can be answered', () => {
    const detail = { runId: 'r1', cause: CAUSE };
    expect(acceptRun.decide(runIn('running'), requested(detail), NOW)).toMatchObject({
      drafts: [{ data: { cause: CAUSE, rejectedAs: 'nightly-202611200805' } }],
    });
  });

  describe('of the same content', () => {
    const upload = { bucket: 'intake', key: 'requests/a.json', sequencer: '0A' };
    const cause = { upload };
    const sameAs = (known: Run['cause'], detail: object) =>
      acceptRun.decide(
        runIn('running', { fingerprint: fingerprintOf(detail), cause: known }),
        requested(detail),
        NOW,
      );
    const others = [
      ['another key', { upload: { ...upload, key: 'requests/b.json' } }],
      ['another bucket', { upload: { ...upload, bucket: 'intake-2' } }],
      ['a schedule', CAUSE],
      ['nobody known', undefined],
    ] as const;

    it.each(others)('refuses an upload where the run came of %s, and names it', (_what, known) => {
      const { derivedId } = requested({ runId: 'r1', cause }).data;
      expect(sameAs(known, { runId: 'r1', cause })).toEqual({
        kind: 'conclude',
        drafts: [
          {
            type: 'RequestRefused',
            data: {
              request: 'RunRequested',
              reason: 'the same request came before: it is run r1',
              ...{ requestId: derivedId, rejectedAs: derivedId, cause },
            },
          },
        ],
      });
    });

    it.each([
      ['the same object comes again', cause, cause],
      ['the same object was written anew', { upload: { ...upload, sequencer: '0B' } }, cause],
      ['no upload asks, though one made the run', cause, undefined],
      ['a schedule asks, though an upload made the run', cause, CAUSE],
    ])('ignores it where %s', (_what, known, asking) => {
      expect(sameAs(known, { runId: 'r1', cause: asking })).toEqual({
        kind: 'ignore',
        reason: 'the same request came before',
      });
    });

    it('refuses one upload once', () => {
      const detail = { runId: 'r1', cause };
      const { derivedId } = requested(detail).data;
      const changes = { fingerprint: fingerprintOf(detail), answered: [derivedId] };
      expect(acceptRun.decide(runIn('running', changes), requested(detail), NOW)).toEqual({
        kind: 'ignore',
        reason: 'this request was answered before',
      });
    });
  });

  it('refuses one request once', () => {
    const before = runIn('running', { answered: [DERIVED] });
    expect(acceptRun.decide(before, requested({ runId: 'r1' }), NOW)).toEqual({
      kind: 'ignore',
      reason: 'this request was answered before',
    });
  });
});

describe('accept-run looks', () => {
  /** What a look brings, and which places were asked for. */
  async function looked(detail: object, settings = SETTINGS, holder?: string) {
    const asked: unknown[] = [];
    const { ports } = world({
      settings: { read: async () => settings },
      claims: {
        async take(wanted) {
          asked.push(wanted);
          return holder;
        },
      },
    });
    const seen = await acceptRun.look?.({ runId: 'r1', detail }, ports);
    return { seen, asked };
  }
  const placed = { parameters: { dataRepositoryPath: 's3://shared/a/' } };

  it('at the settings and judges by them', async () => {
    const { seen, asked } = await looked({});
    expect([seen?.judged.ok, seen?.holder, asked]).toEqual([true, undefined, []]);
  });

  it('who has the place that a good request names, and takes it where nobody has', async () => {
    const { seen, asked } = await looked(placed, LUSTRE);
    expect([seen?.holder, asked]).toEqual([
      undefined,
      [{ runId: 'r1', repositoryPath: 's3://shared/a/' }],
    ]);
  });

  it('who has the place already', async () => {
    expect((await looked(placed, LUSTRE, 'r0')).seen?.holder).toBe('r0');
  });

  it('for no place where the request is bad anyhow', async () => {
    const bad = { parameters: { ...placed.parameters, retainHours: 0 } };
    expect((await looked(bad, LUSTRE)).asked).toEqual([]);
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

  it('accepts with the cause, and with where values came from', () => {
    const detail = { cause: CAUSE, parameters: { ebsSizeGb: 600 } };
    expect(judged(detail)).toMatchObject({
      drafts: [
        { type: 'RunAccepted', data: { cause: CAUSE, sources: { ebsSizeGb: 'the request' } } },
        {},
      ],
    });
  });

  it('rejects with the cause', () => {
    const detail = { cause: CAUSE, parameters: { ebsSizeGb: 0 } };
    expect(judged(detail)).toMatchObject({
      drafts: [{ type: 'RunRejected', data: { cause: CAUSE } }],
    });
  });

  it('rejects an upload that is no request with the sentence that says so', () => {
    const upload = { bucket: 'intake', key: 'requests/a', sequencer: '0A', unreadable: 'no JSON' };
    expect(judged({ cause: { upload } }, undefined, LUSTRE)).toMatchObject({
      mode: 'taskExport',
      drafts: [{ type: 'RunRejected', data: { reason: 'no JSON', cause: { upload } } }],
    });
  });

  it('rejects without a cause that is nonsense', () => {
    const answer = judged({ cause: { upload: { bucket: 'intake' } } });
    expect(answer).toMatchObject({
      drafts: [{ type: 'RunRejected', data: { reason: expect.stringContaining('cause must be') } }],
    });
    expect(answer).not.toMatchObject({ drafts: [{ data: { cause: expect.anything() } }] });
  });

  it('rejects a request whose place another run has, and names that run', () => {
    const detail = { parameters: { dataRepositoryPath: 's3://shared/a/' } };
    expect(judged(detail, 'r0', LUSTRE)).toEqual({
      kind: 'conclude',
      mode: 'taskExport',
      drafts: [
        {
          type: 'RunRejected',
          data: {
            reason:
              'dataRepositoryPath s3://shared/a/ overlaps the place of run r0, which is not over: wait for its end, or name another place',
            fingerprint: fingerprintOf(detail),
          },
        },
      ],
    });
  });

  it('a request to a stack that names no zones without throwing', () => {
    const layer = { name: 'cdk.json', deploys: true, values: { zones: [] } };
    const settings = { ...SETTINGS, layers: { onlyEBS: [layer] } };
    expect(() => judged({}, undefined, settings)).not.toThrow();
  });

  it('remembers the request by its content and not by its id', () => {
    const [first] = [judged({ runId: 'r1' })];
    expect(first).toMatchObject({ drafts: [{ data: { fingerprint: fingerprintOf({}) } }, {}] });
  });
});
