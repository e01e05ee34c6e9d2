/** 12345 → 12,345, on every machine. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** One digit after the point. */
export function formatDecimal(value: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}
