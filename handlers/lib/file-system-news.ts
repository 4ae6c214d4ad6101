import { linksOf, type Run, VISIBLE_WITHIN_MS } from '../../events';
import type { InspectedFileSystem, SeenAssociation } from './ports';

/** What a new file system is: usable, on its way, or not to be had, with the sentence. */
export type Readiness =
  | { readonly kind: 'usable' }
  | { readonly kind: 'coming' }
  /** FSx cannot reach S3 at present: it may heal. */
  | { readonly kind: 'misconfigured'; readonly path: string; readonly reason: string }
  | { readonly kind: 'refused'; readonly noRoom: boolean; readonly reason: string };

/** A misconfigured association recovers within 15 minutes once its cause is gone (FSx guide). */
const HEALS_WITHIN_MS = 15 * 60_000;
const IMPORT = 'IMPORT_METADATA_FROM_REPOSITORY';

const coming: Readiness = { kind: 'coming' };
const refused = (reason: string, noRoom = false): Readiness => ({
  kind: 'refused',
  noRoom,
  reason,
});

/** How far a new file system is: itself first, then its associations, then what they import. */
export function readinessOf(
  seen: InspectedFileSystem | undefined,
  run: Run,
  now: number,
): Readiness {
  const { id, requestedAt } = run.storage;
  if (!seen) return mayAppear(requestedAt, now) ? coming : refused(`file system ${id} is gone`);
  const { lifecycle, failure } = seen;
  if (lifecycle === 'FAILED' || lifecycle === 'DELETING') {
    const why = failure ? `: ${failure}` : '';
    return refused(`file system ${id} is ${lifecycle} instead of available${why}`, seen.noRoom);
  }
  if (lifecycle !== 'AVAILABLE') return coming;
  for (const { path } of linksOf(run)) {
    const readiness = linkReadiness(path, seen, { run, now });
    if (readiness.kind !== 'usable') return readiness;
  }
  return importReadiness(seen, run);
}

/** Whether the association that is known to be misconfigured is seen to be good again. */
export function hasRecovered(seen: InspectedFileSystem | undefined, { storage }: Run): boolean {
  const { misconfigured, links } = storage;
  const associationId = misconfigured && links?.[misconfigured.path];
  const association = seen?.associations.find((each) => each.associationId === associationId);
  return association?.lifecycle === 'AVAILABLE';
}

/** How an association of ours is, in a sentence. */
export function sentenceOf({ path, lifecycle, failure }: SeenAssociation): string {
  const state = failure ? `${lifecycle}: ${failure}` : lifecycle;
  return `the association of ${path} with S3 is ${state}`;
}

/** Why a file system that was usable is of no use any more; undefined: it is there. */
export function lossOf(
  seen: InspectedFileSystem | undefined,
  fileSystemId: string,
): string | undefined {
  const isLost = !seen || seen.lifecycle === 'FAILED' || seen.lifecycle === 'DELETING';
  if (!isLost) return undefined;
  const state = seen ? `${seen.lifecycle}${seen.failure ? `: ${seen.failure}` : ''}` : 'gone';
  return `file system ${fileSystemId} is ${state}, and nobody here did that`;
}

function linkReadiness(
  path: string,
  { associations }: InspectedFileSystem,
  { run, now }: { readonly run: Run; readonly now: number },
): Readiness {
  const associationId = run.storage.links?.[path];
  if (!associationId) return coming;
  const association = associations.find((each) => each.associationId === associationId);
  if (!association) {
    const isNew = mayAppear(run.storage.linkedAt, now);
    return isNew ? coming : refused(`the association of ${path} with S3 is gone`);
  }
  if (association.lifecycle === 'AVAILABLE') return { kind: 'usable' };
  if (association.lifecycle === 'MISCONFIGURED') return misconfigured(association, run, now);
  if (association.lifecycle !== 'FAILED' && association.lifecycle !== 'DELETING') return coming;
  return refused(sentenceOf(association));
}

function misconfigured(association: SeenAssociation, run: Run, now: number): Readiness {
  const { path } = association;
  const reason = sentenceOf(association);
  const { misconfigured: known } = run.storage;
  if (known?.path !== path || now < Date.parse(known.since) + HEALS_WITHIN_MS) {
    return { kind: 'misconfigured', path, reason };
  }
  return refused(`${reason}, and did not heal within 15 minutes`);
}

/** Every link that shows what lies in S3 has a task of its own for that. */
function importReadiness({ tasks }: InspectedFileSystem, run: Run): Readiness {
  const wanted = linksOf(run).filter(({ imports }) => imports).length;
  const imports = tasks.filter(({ type }) => type === IMPORT);
  const bad = imports.find(
    ({ lifecycle, counts }) =>
      lifecycle === 'FAILED' || lifecycle === 'CANCELED' || (counts?.failed ?? 0) > 0,
  );
  if (bad) {
    const { lifecycle, counts, failure } = bad;
    const files = counts ? `, ${counts.failed} of ${counts.total} files failed` : '';
    return refused(`the import from S3 is ${lifecycle}${files}${failure ? `: ${failure}` : ''}`);
  }
  const done = imports.filter(({ lifecycle }) => lifecycle === 'SUCCEEDED').length;
  return done >= wanted ? { kind: 'usable' } : coming;
}

/** FSx may not show yet what it has just made. */
function mayAppear(askedAt: string | undefined, now: number): boolean {
  return askedAt !== undefined && now < Date.parse(askedAt) + VISIBLE_WITHIN_MS;
}
