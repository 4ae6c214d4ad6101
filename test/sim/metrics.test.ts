import { memoryBuckets } from '../../sim/buckets';
import { virtualClock } from '../../sim/clock';
import { type LocalFsx, localFsx } from '../../sim/fsx';
import { localMetrics } from '../../sim/metrics';
import { seededRandom } from '../../sim/random';
import { memoryTrees } from '../../sim/trees';
import { advance, NOW } from '../support/builders';

const MINUTE = 60_000;
type Notes = ReturnType<LocalFsx['queueOf']>;

/** A CloudWatch that sees this queue, an hour later. */
async function metrics(notes: Notes, isMissing?: (point: { readonly at: number }) => boolean) {
  const clock = virtualClock(NOW);
  const twin = localMetrics({ clock, fsx: { queueOf: () => notes }, isMissing });
  await advance(clock, 60 * MINUTE);
  const ask = (from: number, to: number, periodSeconds = 60) =>
    twin.exportQueueAge({
      ...{ fileSystemId: 'fs-1', periodSeconds },
      from: NOW + from * MINUTE,
      to: NOW + to * MINUTE,
    });
  return { ask, clock, twin };
}

/** The points of the minutes around a deletion that waits for its bucket for five minutes. */
async function agesAroundDeletion(): Promise<readonly number[]> {
  const clock = virtualClock(NOW);
  const trees = memoryTrees(memoryBuckets());
  const parts = { clock, trees, random: seededRandom(1), account: '000000000000' };
  const fsx = localFsx({ ...parts, region: 'us-east-1' });
  const made = await fsx.createFileSystem({
    ...{ FileSystemType: 'LUSTRE', FileSystemTypeVersion: '2.15', StorageCapacity: 1200 },
    ...{ SubnetIds: ['subnet-00000001'], LustreConfiguration: {} },
  });
  const fileSystemId = made.FileSystem?.FileSystemId ?? '';
  const linked = await fsx.createDataRepositoryAssociation({
    ...{ FileSystemId: fileSystemId, FileSystemPath: '/scratch' },
    DataRepositoryPath: 's3://results/',
    S3: { AutoExportPolicy: { Events: ['NEW', 'CHANGED', 'DELETED'] } },
  });
  await advance(clock, 20 * MINUTE);
  trees.write(fileSystemId, '/scratch/a', 'x', clock.now());
  await advance(clock, 10 * MINUTE);
  fsx.misconfigure(linked.Association?.AssociationId ?? '', 'access denied', 5 * MINUTE);
  trees.remove(fileSystemId, '/scratch/a');
  await advance(clock, 20 * MINUTE);
  const [from, to] = [NOW + 29 * MINUTE, NOW + 38 * MINUTE];
  const wanted = { fileSystemId, from, to, periodSeconds: 60 };
  const points = await localMetrics({ clock, fsx }).exportQueueAge(wanted);
  return points.map(({ value }) => value);
}

describe('the age of the export queue', () => {
  it('is zero in every minute in which nothing waits', async () => {
    const { ask } = await metrics([{ at: NOW, oldest: undefined }]);
    expect(await ask(10, 13)).toEqual([
      { at: NOW + 10 * MINUTE, value: 0 },
      { at: NOW + 11 * MINUTE, value: 0 },
      { at: NOW + 12 * MINUTE, value: 0 },
    ]);
  });

  it('grows by a minute a minute while the same change waits', async () => {
    const { ask } = await metrics([
      { at: NOW, oldest: undefined },
      { at: NOW + 10.5 * MINUTE, oldest: NOW + 10.5 * MINUTE },
      { at: NOW + 12.5 * MINUTE, oldest: undefined },
    ]);
    expect((await ask(9, 14)).map(({ value }) => value)).toEqual([0, 30, 90, 0, 0]);
  });

  it('is that of the oldest change', async () => {
    const { ask } = await metrics([
      { at: NOW, oldest: NOW },
      { at: NOW + 90_000, oldest: NOW + MINUTE },
    ]);
    expect((await ask(0, 2)).map(({ value }) => value)).toEqual([60, 60]);
  });

  it('is that of a deletion too', async () => {
    expect(await agesAroundDeletion()).toEqual([0, 60, 120, 180, 240, 300, 0, 0, 0]);
  });

  it('is unknown before the file system could be used', async () => {
    const { ask } = await metrics([{ at: NOW + 10.5 * MINUTE, oldest: undefined }]);
    expect((await ask(5, 13)).map(({ at }) => (at - NOW) / MINUTE)).toEqual([10, 11, 12]);
  });

  it('is unknown where there is no file system', async () => {
    expect(await (await metrics([])).ask(0, 60)).toEqual([]);
  });

  it('is unknown in a minute whose point never came', async () => {
    const isMissing = ({ at }: { readonly at: number }) => at === NOW + 11 * MINUTE;
    const { ask } = await metrics([{ at: NOW, oldest: undefined }], isMissing);
    expect((await ask(10, 13)).map(({ at }) => (at - NOW) / MINUTE)).toEqual([10, 12]);
  });

  it('is the largest one of a longer period', async () => {
    const { ask } = await metrics([
      { at: NOW, oldest: undefined },
      { at: NOW + 10.5 * MINUTE, oldest: NOW + 10.5 * MINUTE },
      { at: NOW + 12.5 * MINUTE, oldest: undefined },
    ]);
    expect(await ask(10, 20, 300)).toEqual([
      { at: NOW + 10 * MINUTE, value: 90 },
      { at: NOW + 15 * MINUTE, value: 0 },
    ]);
  });

  it('is shown one to two minutes late, each point at its own time, and then for good', async () => {
    const { clock, twin } = await metrics([{ at: NOW, oldest: undefined }]);
    const shownAfter = new Map<number, number>();
    const begun = clock.now();
    while (clock.now() < begun + 30 * MINUTE) {
      const [from, to] = [begun, begun + 20 * MINUTE];
      const points = await twin.exportQueueAge({
        fileSystemId: 'fs-1',
        from,
        to,
        periodSeconds: 60,
      });
      for (const { at } of points) {
        if (!shownAfter.has(at)) shownAfter.set(at, clock.now() - (at + MINUTE));
      }
      expect(points.length).toBe(shownAfter.size);
      await advance(clock, 1000);
    }
    const delays = [...shownAfter.values()];
    expect(delays.length).toBe(20);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(MINUTE);
    expect(Math.max(...delays)).toBeLessThanOrEqual(2 * MINUTE + 1000);
    expect(new Set(delays).size).toBeGreaterThan(10);
  });
});
