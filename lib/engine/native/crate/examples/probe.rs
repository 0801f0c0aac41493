use trm_native::{buffer::Buffer, epilogue::*, product::*, simd::*, x86::*};
fn bench<L: Level>(name:&str){
  for (rows,depth,cols) in [(148usize,64usize,512usize),(148,256,64),(328,128,1024),(328,512,128),(388,512,3072),(388,1536,512)] {
    let a=Buffer::<f32>::zeros(1); let _=a;
    let av: Vec<L::E>=vec![L::E::from_f32(0.01);rows*depth]; let b:Vec<L::E>=vec![L::E::from_f32(0.02);panels_length::<L>(depth,cols)];
    let mut c=vec![0f32;rows*cols]; let mut o=vec![L::E::default();rows*cols/2]; let mut sv=vec![L::E::default();rows*cols];
    for kind in 0..3 {
    let mut best=f64::MAX;
    for _ in 0..30 { let t=std::time::Instant::now(); let n=(2e8 as usize/(rows*depth*cols)).max(1);
     for _ in 0..n { let left=Left::Rows{data:&av,stride:depth}; let right=Right{data:&b,panel:panel_length::<L>(depth),columns:cols};
      match kind {0=>L::enter(Product::<L,_>{left,rows,right,depth,rows_outer:false,epilogue:Add::to(&mut c,cols)}),
       1=>L::enter(Product::<L,_>{left,rows,right,depth,rows_outer:false,epilogue:GateColumns{out:&mut o,stride:cols/2,saved:None}}),
       _=>L::enter(Product::<L,_>{left,rows,right,depth,rows_outer:false,epilogue:GateColumns{out:&mut o,stride:cols/2,saved:Some(&mut sv)}}) }
     } best=best.min(t.elapsed().as_secs_f64()/n as f64);}
    println!("{name} {rows}x{depth}x{cols} kind {kind}: {:.1} GFLOP/s", 2.0*(rows*depth*cols) as f64/best/1e9);
    }
  }
}
fn main(){ bench::<Avx512Bf16>("bf16"); bench::<Avx512>("avx512"); bench::<Avx2>("avx2"); }
