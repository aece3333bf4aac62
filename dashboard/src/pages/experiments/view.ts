/** What the page's address says: all experiments, the one that is looked at, or a form. */

export const LIST = { experiment: "", edit: "", new: "" };
export type View = typeof LIST;
