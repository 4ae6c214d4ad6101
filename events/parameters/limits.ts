/** SubmitJob takes 30 KiB (Batch quotas); what a request says ends there, so it may not be larger. */
export const REQUEST_LIMITS = { characters: 30 * 1024, depth: 16 };
