/** The two consumer groups of the demo. Each is given every event; the processes of one share them. */
export const GROUPS = ['delay-board', 'route-count'] as const;

/** A group of the demo. */
export type GroupName = (typeof GROUPS)[number];
