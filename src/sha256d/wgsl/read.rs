//! Reads a function of a shader as a graph: calls are followed, loops are run through.

use crate::gpu::naga::{self, BinaryOperator, Expression, Function, Handle, Literal, LocalVariable, Module, Statement};

use super::graph::{Graph, Id, Primitive};

/// A value while the shader is read.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A word of the graph.
    Word(Id),
    /// An array of words.
    Array(Vec<Id>),
    /// The outcome of a comparison.
    Bool(bool),
    /// A variable, or an element of one.
    Pointer(Handle<LocalVariable>, Option<usize>),
}

impl Value {
    fn word(&self) -> Id {
        match self {
            Self::Word(id) => *id,
            other => unreachable!("{other:?} is no word"),
        }
    }
}

/// Why a block was left.
enum Exit {
    End,
    Break,
    Return(Value),
}

/// Reads what the function `name` computes of `arguments`.
///
/// It may use words, arrays of words, sums, the [`Primitive`]s, and loops and conditions that constants decide: all
/// that `shaders/sha256d.wgsl` needs, which is the only text that is ever read.
///
/// # Panics
///
/// The shader uses anything else.
pub(super) fn read(module: &Module, name: &str, arguments: Vec<Value>, graph: &mut Graph) -> Id {
    let is_it = |function: &&Function| function.name.as_deref() == Some(name);
    let function = module.functions.iter().map(|(_, function)| function).find(is_it).expect("the shader has it");
    call(module, function, arguments, graph).word()
}

fn call(module: &Module, function: &Function, arguments: Vec<Value>, graph: &mut Graph) -> Value {
    let name = function.name.as_deref().unwrap_or_default();
    if let Some(primitive) = Primitive::ALL.into_iter().find(|primitive| primitive.name() == name) {
        return Value::Word(graph.call(primitive, arguments.iter().map(Value::word).collect()));
    }
    let mut frame = Frame {
        module,
        function,
        arguments,
        graph,
        values: vec![None; function.expressions.len()],
        variables: vec![None; function.local_variables.len()],
    };
    for (handle, variable) in function.local_variables.iter() {
        let value = match variable.init {
            Some(init) => frame.value(init),
            None => frame.zero(variable.ty),
        };
        frame.variables[handle.index()] = Some(value);
    }
    match frame.block(&function.body) {
        Exit::Return(value) => value,
        Exit::End | Exit::Break => unreachable!("{name} returns a value"),
    }
}

/// A function that is being read.
struct Frame<'a> {
    module: &'a Module,
    function: &'a Function,
    arguments: Vec<Value>,
    graph: &'a mut Graph,
    values: Vec<Option<Value>>,
    variables: Vec<Option<Value>>,
}

impl Frame<'_> {
    fn block(&mut self, block: &naga::Block) -> Exit {
        for statement in block {
            let exit = self.statement(statement);
            if !matches!(exit, Exit::End) {
                return exit;
            }
        }
        Exit::End
    }

    fn statement(&mut self, statement: &Statement) -> Exit {
        match statement {
            Statement::Emit(range) => {
                for handle in range.clone() {
                    let value = self.compute(handle);
                    self.values[handle.index()] = Some(value);
                }
            }
            Statement::Block(block) => return self.block(block),
            Statement::If { condition, accept, reject } => {
                let Value::Bool(condition) = self.value(*condition) else { unreachable!("a condition is a bool") };
                return self.block(if condition { accept } else { reject });
            }
            Statement::Loop { body, continuing, break_if: None } => loop {
                match self.block(body) {
                    Exit::End => {}
                    Exit::Break => break,
                    exit @ Exit::Return(_) => return exit,
                }
                self.block(continuing);
            },
            Statement::Break => return Exit::Break,
            Statement::Return { value: Some(value) } => return Exit::Return(self.value(*value)),
            Statement::Store { pointer, value } => {
                let value = self.value(*value);
                let Value::Pointer(variable, element) = self.value(*pointer) else { unreachable!("no pointer") };
                let variable = self.variables[variable.index()].as_mut().expect("variables have values");
                match (variable, element) {
                    (Value::Array(words), Some(element)) => words[element] = value.word(),
                    (variable, _) => *variable = value,
                }
            }
            Statement::Call { function, arguments, result: Some(result) } => {
                let arguments = arguments.iter().map(|&argument| self.value(argument)).collect();
                let value = call(self.module, &self.module.functions[*function], arguments, self.graph);
                self.values[result.index()] = Some(value);
            }
            other => unreachable!("the shader needs no {other:?}"),
        }
        Exit::End
    }

    /// Returns a value that was computed before, or that needs no computing.
    fn value(&mut self, handle: Handle<Expression>) -> Value {
        match &self.values[handle.index()] {
            Some(value) => value.clone(),
            None => self.compute(handle),
        }
    }

    fn compute(&mut self, handle: Handle<Expression>) -> Value {
        match self.function.expressions[handle] {
            Expression::Literal(literal) => self.literal(literal),
            Expression::Constant(constant) => self.global(self.module.constants[constant].init),
            Expression::ZeroValue(ty) => self.zero(ty),
            Expression::Compose { ref components, .. } => {
                Value::Array(components.iter().map(|&component| self.value(component).word()).collect())
            }
            Expression::FunctionArgument(index) => self.arguments[index as usize].clone(),
            Expression::LocalVariable(variable) => Value::Pointer(variable, None),
            Expression::Access { base, index } => {
                let index = self.value(index).word();
                let index = self.graph.as_constant(index).expect("indices are constants once loops are run through");
                self.element(base, index as usize)
            }
            Expression::AccessIndex { base, index } => self.element(base, index as usize),
            Expression::Load { pointer } => {
                let Value::Pointer(variable, element) = self.value(pointer) else { unreachable!("no pointer") };
                let variable = self.variables[variable.index()].as_ref().expect("variables have values");
                match (variable, element) {
                    (Value::Array(words), Some(element)) => Value::Word(words[element]),
                    (variable, _) => variable.clone(),
                }
            }
            Expression::Binary { op, left, right } => {
                let (left, right) = (self.value(left).word(), self.value(right).word());
                self.binary(op, left, right)
            }
            ref other => unreachable!("the shader needs no {other:?}"),
        }
    }

    fn element(&mut self, base: Handle<Expression>, index: usize) -> Value {
        match self.value(base) {
            Value::Pointer(variable, None) => Value::Pointer(variable, Some(index)),
            Value::Array(words) => Value::Word(words[index]),
            other => unreachable!("{other:?} has no elements"),
        }
    }

    fn binary(&mut self, op: BinaryOperator, left: Id, right: Id) -> Value {
        if op == BinaryOperator::Add {
            return Value::Word(self.graph.sum(&[left, right]));
        }
        let constants = (self.graph.as_constant(left), self.graph.as_constant(right));
        let (Some(left), Some(right)) = constants else { unreachable!("{op:?} is for counters only") };
        match op {
            BinaryOperator::Subtract => Value::Word(self.graph.constant(left.wrapping_sub(right))),
            BinaryOperator::Less => Value::Bool(left < right),
            other => unreachable!("the shader needs no {other:?}"),
        }
    }

    fn literal(&mut self, literal: Literal) -> Value {
        match literal {
            Literal::U32(word) => Value::Word(self.graph.constant(word)),
            other => unreachable!("{other:?} is no word"),
        }
    }

    fn global(&mut self, handle: Handle<Expression>) -> Value {
        match self.module.global_expressions[handle] {
            Expression::Literal(literal) => self.literal(literal),
            Expression::Compose { ref components, .. } => {
                Value::Array(components.iter().map(|&component| self.global(component).word()).collect())
            }
            ref other => unreachable!("the shader needs no {other:?}"),
        }
    }

    fn zero(&mut self, ty: Handle<naga::Type>) -> Value {
        let zero = self.graph.constant(0);
        match self.module.types[ty].inner {
            naga::TypeInner::Array { size: naga::ArraySize::Constant(size), .. } => {
                Value::Array(vec![zero; size.get() as usize])
            }
            _ => Value::Word(zero),
        }
    }
}
