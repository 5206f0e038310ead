export function watchSlider() {}
