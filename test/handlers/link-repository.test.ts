import { type Run, STATUSES } from '../../events';
import { linkRepository } from '../../handlers/link-repository';
import { FILE_SYSTEM, later, lustreRun, NOW } from '../support/builders';
import { lustreRunIn, lustreStorageIn, MADE, probe, runIn, world } from './world';

/** When the builders' run was accepted. */
const BIRTH = NOW.toString(36);
const others = STATUSES.filter((status) => status !== 'provisioning');
const parameters = { inputRepositoryPath: 's3://data/in', lustreImportedFileChunkSize: 512 };
/** A run whose file system was made, with these links already. */
const made = (links?: { readonly [path: string]: string }, tries = 1) =>
  lustreRun({
    parameters,
    storage: lustreStorageIn('provisioning', { ...MADE, links, tries }),
  });

describe('link-repository decides', () => {
  it('links /scratch first, as soon as the file system has an id', () => {
    expect(linkRepository.decide(made(), probe, NOW)).toEqual({
      kind: 'proceed',
      key: `r1.scratch-${BIRTH}.1`,
      step: {
        runId: 'r1',
        fileSystemId: FILE_SYSTEM,
        link: expect.objectContaining({
          path: '/scratch',
          repositoryPath: 's3://results/runs/r1/',
          direction: 'both',
        }),
        chunkSizeMib: 512,
      },
    });
  });

  it('links /input then, under a key of its own', () => {
    expect(linkRepository.decide(made({ '/scratch': 'dra-1' }), probe, NOW)).toMatchObject({
      key: `r1.input-${BIRTH}.1`,
      step: { link: { path: '/input', direction: 'import', imports: true } },
    });
  });

  it('names the links of another file system by other keys', () => {
    expect(linkRepository.decide(made(undefined, 2), probe, NOW)).toMatchObject({
      key: `r1.scratch-${BIRTH}.2`,
    });
  });

  it('names the links of another run that has the same id by other keys', () => {
    const keyOf = (run: Run) => {
      const decided = linkRepository.decide(run, probe, NOW);
      return decided.kind === 'proceed' ? decided.key : undefined;
    };
    expect(keyOf({ ...made(), acceptedAt: later(1) })).not.toBe(keyOf(made()));
    expect(keyOf({ ...made(), since: later(1) })).toBe(keyOf(made()));
  });

  it('has a key that FSx takes for the longest id', () => {
    const decided = linkRepository.decide({ ...made({}, 999), id: 'r'.repeat(40) }, probe, NOW);
    expect(decided.kind === 'proceed' && decided.key.length).toBeLessThanOrEqual(63);
  });

  it('ignores a run that has every link', () => {
    const links = { '/scratch': 'dra-1', '/input': 'dra-2' };
    expect(linkRepository.decide(made(links), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'every path is linked',
    });
  });

  it('ignores a run without input once /scratch is linked', () => {
    const storage = lustreStorageIn('provisioning', MADE);
    expect(linkRepository.decide(lustreRun({ storage }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'every path is linked',
    });
  });

  it('ignores a run that has no file system yet', () => {
    expect(linkRepository.decide(lustreRun(), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'no file system yet',
    });
  });

  it('ignores a run on a volume', () => {
    expect(linkRepository.decide(runIn('provisioning'), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the storage is a volume',
    });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    const storage = lustreStorageIn(status, { links: undefined });
    expect(linkRepository.decide(lustreRunIn(status, { storage }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });
});

describe('link-repository acts', () => {
  it('under its key, and says what it linked', async () => {
    const { ports } = world();
    const asked: unknown[] = [];
    const link: typeof ports.fileSystems.link = async (wanted) => {
      asked.push(wanted);
      return { ok: true, associationId: 'dra-1' };
    };
    const decided = linkRepository.decide(made(), probe, NOW);
    if (decided.kind !== 'proceed') throw new Error('nothing to do');
    const fileSystems = { ...ports.fileSystems, link };
    expect(await linkRepository.act?.(decided.step, decided.key, { fileSystems })).toEqual({
      ...{ ok: true, associationId: 'dra-1' },
      ...{ fileSystemId: FILE_SYSTEM, path: '/scratch', direction: 'both' },
    });
    expect(asked).toEqual([{ clientToken: `r1.scratch-${BIRTH}.1`, ...decided.step }]);
  });
});

describe('link-repository records', () => {
  const place = { fileSystemId: FILE_SYSTEM, path: '/scratch', direction: 'both' } as const;
  const linked = { ok: true, associationId: 'dra-1', ...place } as const;
  const refused = { ok: false, reason: 'no such bucket', ...place } as const;

  it('the association with its path and direction', () => {
    expect(linkRepository.record?.(linked, made(), NOW)).toEqual({
      kind: 'conclude',
      drafts: [
        {
          type: 'RepositoryLinked',
          data: { associationId: 'dra-1', path: '/scratch', direction: 'both' },
        },
      ],
    });
  });

  it('a refusal as the end of the run, with the path', () => {
    const reason = '/scratch could not be linked to S3: no such bucket';
    expect(linkRepository.record?.(refused, made(), NOW)).toEqual({
      kind: 'conclude',
      drafts: [
        { type: 'StorageFailed', data: { reason } },
        { type: 'ReleaseStarted', data: { verdict: { kind: 'failed', reason } } },
      ],
    });
  });

  it.each([
    ['that is linked', made({ '/scratch': 'dra-9' })],
    ['whose file system was given up', lustreRun()],
    [
      'that has another file system by now',
      lustreRun({ storage: lustreStorageIn('provisioning', { id: 'fs-2' }) }),
    ],
  ])('nothing of a path %s, whatever came of it', (_what, run) => {
    const ignored = {
      kind: 'ignore',
      reason: 'the path is linked, or its file system was given up',
    };
    expect([
      linkRepository.record?.(linked, run, NOW),
      linkRepository.record?.(refused, run, NOW),
    ]).toEqual([ignored, ignored]);
  });
});
