import type { Progress } from '../../events';
import type { SeenTask } from './ports';

/** What an export task has come to. */
export type ExportNews =
  /** Every file is in S3. */
  | { readonly kind: 'proven'; readonly exportedCount: number }
  | { readonly kind: 'under-way'; readonly progress?: Progress }
  | { readonly kind: 'failed'; readonly reason: string; readonly hasReport: boolean };

/** Only SUCCEEDED with no file failed is the proof. A word of FSx that is new here is none, and no failure. */
export function exportNewsOf({ lifecycle, counts, failure }: SeenTask): ExportNews {
  const progress = counts && { total: counts.total, done: counts.succeeded + counts.failed };
  if (lifecycle === 'SUCCEEDED') {
    // Without counts there is no proof; they come with the next refresh.
    if (!counts) return { kind: 'under-way' };
    if (counts.failed === 0) return { kind: 'proven', exportedCount: counts.succeeded };
  } else if (lifecycle !== 'FAILED' && lifecycle !== 'CANCELED') {
    return { kind: 'under-way', progress };
  }
  const hasReport = counts === undefined || counts.failed > 0;
  const files = counts?.failed ? `${counts.failed} of ${counts.total} files failed` : '';
  const why = [files, failure].filter((each) => each).join(': ');
  return {
    kind: 'failed',
    reason: `the export task is ${lifecycle}${why ? `, ${why}` : ''}`,
    hasReport,
  };
}
