import fc from 'fast-check';
import {
  INPUT,
  linksOf,
  type Mode,
  missingLink,
  overlaps,
  type RunParameters,
  reportPathOf,
  SCRATCH,
} from '../../events';
import { lustreRun } from '../support/builders';

const linked = (parameters: RunParameters = {}, mode: Mode = 'taskExport') =>
  lustreRun({ mode, parameters });

describe('the links of a run', () => {
  it('are one: /scratch with the prefix that is its own, where nothing can be yet', () => {
    expect(linksOf(linked())).toEqual([
      {
        path: SCRATCH,
        repositoryPath: 's3://results/runs/r1/',
        direction: 'both',
        imports: false,
        autoExports: false,
      },
    ]);
  });

  it.each([
    ['taskExport', false],
    ['autoExport', true],
  ] as const)('export all along in autoExport alone: %s %s', (mode, autoExports) => {
    expect(linksOf(linked({}, mode)).map((link) => link.autoExports)).toEqual([autoExports]);
  });

  it.each(['s3://data/a', 's3://data/a/'])('go to the place that it names: %s', (given) => {
    expect(linksOf(linked({ dataRepositoryPath: given }))).toEqual([
      expect.objectContaining({ path: SCRATCH, repositoryPath: 's3://data/a/', imports: true }),
    ]);
  });

  it.each(['s3://data/in', 's3://data/in/'])('are two where it has input: %s', (given) => {
    expect(linksOf(linked({ inputRepositoryPath: given }, 'autoExport'))).toEqual([
      expect.objectContaining({ path: SCRATCH, imports: false, autoExports: true }),
      {
        path: INPUT,
        repositoryPath: 's3://data/in/',
        direction: 'import',
        imports: true,
        autoExports: false,
      },
    ]);
  });

  it('never export its input, whatever the mode and the places', () => {
    const parameters = { inputRepositoryPath: 's3://in', dataRepositoryPath: 's3://out' };
    for (const mode of ['taskExport', 'autoExport'] as const) {
      const input = linksOf(linked(parameters, mode)).find(({ path }) => path === INPUT);
      expect(input).toMatchObject({ direction: 'import', autoExports: false });
    }
  });
});

describe('the link that nobody has asked for yet', () => {
  const run = linked({ inputRepositoryPath: 's3://data/in' });
  const missing = (links?: { [path: string]: string }) =>
    missingLink({ ...run, storage: { ...run.storage, links } })?.path;

  it.each([
    ['/scratch first', undefined, SCRATCH],
    ['/scratch, too, where only the other is there', { [INPUT]: 'dra-2' }, SCRATCH],
    ['/input then', { [SCRATCH]: 'dra-1' }, INPUT],
    ['none once both are asked for', { [SCRATCH]: 'dra-1', [INPUT]: 'dra-2' }, undefined],
  ])('is %s', (_title, links, path) => {
    expect(missing(links)).toBe(path);
  });

  it('is none where /scratch is all there is to link', () => {
    const { storage } = lustreRun();
    const done = lustreRun({ storage: { ...storage, links: { [SCRATCH]: 'dra-1' } } });
    expect(missingLink(done)).toBeUndefined();
  });
});

describe('the list of files that an export left behind', () => {
  it.each([
    [{}, 's3://results/runs/r1/_ebbtide/reports'],
    [{ dataRepositoryPath: 's3://data/a' }, 's3://data/a/_ebbtide/reports'],
    [{ inputRepositoryPath: 's3://data/in' }, 's3://results/runs/r1/_ebbtide/reports'],
  ])('lies inside the association of /scratch: %j', (parameters, path) => {
    expect(reportPathOf(linked(parameters))).toBe(path);
  });
});

describe('two places in S3', () => {
  it.each([
    ['the same', 's3://b/a', 's3://b/a'],
    ['the same but for the slash', 's3://b/a', 's3://b/a/'],
    ['one in the other', 's3://b/a', 's3://b/a/c'],
    ['a whole bucket and a place in it', 's3://b', 's3://b/a/c/'],
  ])('overlap where they are %s, both ways round', (_title, one, other) => {
    expect([overlaps(one, other), overlaps(other, one)]).toEqual([true, true]);
  });

  it.each([
    ['beside each other', 's3://b/a', 's3://b/c'],
    ['only begun by the same word', 's3://b/run-1', 's3://b/run-10'],
    ['in buckets begun by the same word', 's3://b', 's3://bb/a'],
  ])('do not overlap where they are %s, both ways round', (_title, one, other) => {
    expect([overlaps(one, other), overlaps(other, one)]).toEqual([false, false]);
  });

  it('overlap exactly where some object would lie in both', () => {
    const names = fc.array(fc.constantFrom('a', 'ab', 'b'), { maxLength: 3 });
    fc.assert(
      fc.property(names, names, (one, other) => {
        const isWithin = (inner: string[], outer: string[]) =>
          outer.every((name, index) => inner[index] === name);
        const place = (parts: string[]) => ['s3://bucket', ...parts].join('/');
        const expected = isWithin(one, other) || isWithin(other, one);
        expect(overlaps(place(one), place(other))).toBe(expected);
      }),
    );
  });
});
