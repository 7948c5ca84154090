/** How long a `Part` is: less than anybody notices, and more than enough for whatever comes in tens. */
export const PART_MS = 8;
