use trm_native::{dims::Mixer, engine::*, isa::*, loss::CrossEntropy, model::*, optimizer::*};
fn inner(w:usize)->usize{ let r=((4*w*2) as f64/3.0).round() as usize; r.div_ceil(256)*256 }
fn model(hidden:usize,s:usize,prefix:usize,mixer:Mixer,vocab:usize)->Model{
  let mut calls=vec![]; for t in 0..3 { for i in 0..7 { let (w,read)=if i<6 {(1,vec![Source::Latent(0),Source::X,Source::Latent(1)])} else {(0,vec![Source::Latent(0),Source::Latent(1)])}; calls.push(Call{net:0,write:w,read,gradient:t==2}); } }
  Model{sequence:s-prefix,prefix,hidden,vocabulary:vocab,puzzle_size:if prefix>0 {hidden} else {0},puzzle_ids:1,layers:2,mixer,learned_positions:false,token_inner:inner(s),channel_inner:inner(hidden),latents:vec!["H_init".into(),"L_init".into()],nets:vec!["L_level".into()],calls,answer:0,learns_continue:false}
}
fn main(){
  let filter=std::env::args().nth(1).unwrap_or_default(); let levels=std::env::args().nth(2).unwrap_or("avx512bf16,avx512,avx2".into()); let threads:usize=std::env::args().nth(3).map_or(2,|s|s.parse().unwrap());
  for (name,m,b) in [("a",model(64,37,1,Mixer::Mlp,11),64),("b",model(128,82,1,Mixer::Mlp,11),32),("c",model(512,97,16,Mixer::Mlp,11),16),("d",model(512,97,16,Mixer::Attention{heads:8,rotary:true},11),16),("e",model(128,916,16,Mixer::Attention{heads:4,rotary:true},12),4)] {
    if !filter.is_empty() && !filter.contains(name) {continue}
    for isa in LEVELS { if !levels.split(',').any(|l|l==isa.name()) {continue}
      let mut e=isa.engine(m.clone(),threads).unwrap();
      let mut seed=1u32; let mut rnd=||{seed=seed.wrapping_mul(1664525).wrapping_add(1013904223); (seed>>8) as f32/8388608.0-1.0};
      let specs=e.specs().to_vec();
      for (i,sp) in specs.iter().enumerate(){ let f=1.7/(*sp.shape.last().unwrap() as f32).sqrt(); let v:Vec<f32>=(0..sp.len()).map(|_|rnd()*f).collect(); e.write_tensor(Kind::Parameters,i,&v).unwrap(); }
      let st=e.create_state(b); let l=m.sequence;
      let rq=Request{tokens:(0..b*l).map(|i|(i*7%m.vocabulary) as i32).collect(),puzzle_ids:vec![0;b],reset:vec![1;b],want_logits:false};
      let ls=LessonRequest{labels:(0..b*l).map(|i|(i*5%m.vocabulary) as i32).collect(),last:vec![0;b],loss:CrossEntropy::Stablemax};
      let (mut bt,mut bu,mut bi)=(f64::MAX,f64::MAX,f64::MAX); let mut loss=0.0;
      let reps=if name=="a"||name=="b"{12}else{5};
      for _ in 0..reps { let t=std::time::Instant::now(); let r=e.train(st,&rq,&ls).unwrap(); let t1=t.elapsed().as_secs_f64(); bt=bt.min(t1); loss=r.answer_loss.iter().sum::<f64>()/b as f64;
        let t=std::time::Instant::now(); e.update(Step{rule:Rule::AdamAtan2,count:1,learning_rate:1e-4,weight_decay:1.0,beta1:0.9,beta2:0.95,ema_rate:0.999},PuzzleStep{learning_rate:1e-4,weight_decay:1.0}).unwrap(); bu=bu.min(t.elapsed().as_secs_f64()); }
      for _ in 0..reps { let t=std::time::Instant::now(); e.infer(st,&rq,Weights::Average).unwrap(); bi=bi.min(t.elapsed().as_secs_f64()); }
      let rss=std::fs::read_to_string("/proc/self/status").unwrap().lines().find(|l|l.starts_with("VmHWM")).unwrap().to_string();
      println!("({name}) {:10} train {:7.1} ms update {:6.1} ms infer {:7.1} ms loss {loss:.4} {rss}",isa.name(),bt*1e3,bu*1e3,bi*1e3);
    }
  }
}
