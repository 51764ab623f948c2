/** A canvas made ready to be drawn on, in the screen's own pixels. */

export interface Clean {
  readonly context: CanvasRenderingContext2D
  /** In CSS px, which is what is drawn in. */
  readonly width: number
  readonly height: number
}

/** Undefined where it is not shown: there is nothing to draw on. */
export function clean(canvas: HTMLCanvasElement): Clean | undefined {
  const { clientWidth: width, clientHeight: height } = canvas
  const context = canvas.getContext('2d')
  if (context === null || width === 0) return undefined
  const ratio = devicePixelRatio
  // Setting a size clears the canvas, and is dear: only where it changed.
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio)
    canvas.height = Math.round(height * ratio)
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  return { context, width, height }
}
