/** A number as people write it: `1,234`, `12.3`, `0.05`; what is below a hundredth is said to be so. */
export function describeNumber(value: number): string {
  if (value > 0 && value < 0.01) return 'less than 0.01'
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) < 10 ? 2 : 1 })
}

/** A share in [0, 1] as a percentage: `61 %`, `0.2 %`. */
export function describePercent(share: number): string {
  const percent = share * 100
  return `${percent.toLocaleString('en-US', { maximumFractionDigits: percent < 10 ? 1 : 0 })} %`
}
