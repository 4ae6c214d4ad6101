import { type Export, type Run, type RunStatus, STATUSES } from '../../events';
import { disableAutoExport } from '../../handlers/disable-auto-export';
import { FILE_SYSTEM, later, NOW } from '../support/builders';
import { lustreRunIn, lustreStorageIn, probe, runIn } from './world';

const others = STATUSES.filter((status) => status !== 'exporting');
const drained = (changes: Partial<Export> = {}, status: RunStatus = 'exporting'): Run =>
  lustreRunIn(status, {
    mode: 'autoExport',
    export: { requestedAt: later(0), tries: 1, drainedAt: later(60), ...changes },
  });

describe('disable-auto-export decides', () => {
  it('switches auto-export off once the queue is empty', () => {
    expect(disableAutoExport.decide(drained(), probe, NOW)).toEqual({
      kind: 'proceed',
      key: 'r1.switch-off',
      step: { fileSystemId: FILE_SYSTEM, associationId: 'dra-scratch' },
    });
  });

  it('has a key for the longest id', () => {
    const decided = disableAutoExport.decide({ ...drained(), id: 'r'.repeat(40) }, probe, NOW);
    expect(decided.kind === 'proceed' && decided.key.length).toBeLessThanOrEqual(63);
  });

  it('leaves auto-export on while its queue is not known to be empty', () => {
    expect(disableAutoExport.decide(drained({ drainedAt: undefined }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the export has to drain',
    });
  });

  it('ignores an export whose auto-export is off', () => {
    const storage = lustreStorageIn('exporting', { autoExportOffAt: later(0) });
    expect(disableAutoExport.decide({ ...drained(), storage }, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the export has to task',
    });
  });

  it('ignores a run that never exported along', () => {
    expect(disableAutoExport.decide(lustreRunIn('exporting'), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the export has to task',
    });
  });

  it('waits after a refusal for as long as it was said', () => {
    const refused = drained({ tries: 2, retryAt: later(60) });
    expect(disableAutoExport.decide(refused, probe, NOW)).toMatchObject({ kind: 'ignore' });
  });

  it.each([
    ['file system', { id: undefined }],
    ['association', { links: undefined }],
  ])('ignores a run without a %s', (_what, overrides) => {
    const storage = lustreStorageIn('exporting', overrides);
    expect(disableAutoExport.decide({ ...drained(), storage }, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'there is no association',
    });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    for (const run of [drained({}, status), runIn(status)]) {
      expect(disableAutoExport.decide(run, probe, NOW)).toEqual({
        kind: 'ignore',
        reason: `run is ${status}`,
      });
    }
  });
});

describe('disable-auto-export records', () => {
  const refused = { kind: 'refused', reason: 'no such association' } as const;

  it('that auto-export is off', () => {
    expect(disableAutoExport.record?.({ kind: 'off' }, drained(), NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'AutoExportDisabled', data: { fileSystemId: FILE_SYSTEM } }],
    });
  });

  it('nothing while FSx is at it', () => {
    expect(disableAutoExport.record?.({ kind: 'updating' }, drained(), NOW)).toEqual({
      kind: 'again',
      at: NOW + 10_000,
    });
  });

  it('a refusal as a failed try', () => {
    expect(disableAutoExport.record?.(refused, drained(), NOW)).toEqual({
      kind: 'conclude',
      drafts: [
        {
          type: 'ExportFailed',
          data: {
            reason: 'auto-export could not be switched off: no such association',
            retryAt: later(120),
          },
        },
      ],
    });
  });

  it('the third refusal as the last: the storage is retained', () => {
    expect(disableAutoExport.record?.(refused, drained({ tries: 3 }), NOW)).toMatchObject({
      drafts: [{ type: 'ExportFailed' }, { type: 'StorageRetained' }],
    });
  });

  it('nothing where it is off by now', () => {
    const storage = lustreStorageIn('exporting', { autoExportOffAt: later(0) });
    for (const outcome of [{ kind: 'off' }, { kind: 'updating' }, refused] as const) {
      expect(disableAutoExport.record?.(outcome, { ...drained(), storage }, NOW)).toEqual({
        kind: 'ignore',
        reason: 'it is off already',
      });
    }
  });
});
