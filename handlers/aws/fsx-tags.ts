import type { FsxTag, SeenTag } from './fsx-api';

/** Whose a thing is: the tags that everything of ours has from its creation. */
export const STACK_TAG = 'ebbtide:stack';
export const RUN_TAG = 'ebbtide:run';
/** On file systems: which mode they were made for. */
export const MODE_TAG = 'ebbtide:mode';
/** On storage that is its owner's: no deletion of ours reaches it. */
export const KEPT_TAG = 'ebbtide:kept';

/** The tags of whatever belongs to a run. */
export function tagsFor(stack: string, runId: string): FsxTag[] {
  return [
    { Key: STACK_TAG, Value: stack },
    { Key: RUN_TAG, Value: runId },
  ];
}

/** The value of a tag; undefined where there is none. */
export function tagOf(thing: { readonly Tags?: readonly SeenTag[] }, key: string) {
  return thing.Tags?.find(({ Key }) => Key === key)?.Value;
}
