/** What can lose its connection by itself. */
export type ConnectionPart = 'publishing' | 'consuming';
